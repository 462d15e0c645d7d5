package proactor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// module is the compiled module, and the engine that it was compiled for. Whether it is a guest of the contract is
// decided before any of its code runs.
type module struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

const pageBytes = 65_536

const advice = `Compile it with wasm-proactor/asconfig.json and ` + "`export { run } from \"wasm-proactor\"`" +
	`, by a version of the package whose contract is proactor_v1; fibers need wasm-proactor-asyncify.`

func compile(ctx context.Context, wasm []byte, limits Limits) (*module, error) {
	config := wazero.NewRuntimeConfigCompiler().
		WithMemoryLimitPages(uint32(limits.GrowBytes / pageBytes)).
		WithCloseOnContextDone(limits.RunMs > 0)
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	m, err := compileWith(ctx, runtime, wasm)
	if err != nil {
		runtime.Close(ctx)
	}
	return m, err
}

func compileWith(ctx context.Context, runtime wazero.Runtime, wasm []byte) (*module, error) {
	compiled, err := runtime.CompileModule(ctx, wasm)
	if err != nil {
		return nil, fmt.Errorf("the module does not compile: %w", err)
	}
	if wrong := append(wrongImports(compiled), wrongExports(compiled)...); len(wrong) > 0 {
		return nil, fmt.Errorf("this module is no guest of %s:\n- %s\n%s", contractModule, strings.Join(wrong, "\n- "), advice)
	}
	if err := provide(ctx, runtime, contractModule, contractImports); err != nil {
		return nil, err
	}
	if err := provide(ctx, runtime, wasiModule, wasiImports); err != nil {
		return nil, err
	}
	return &module{runtime, compiled}, nil
}

// instantiate makes an instance whose imports get this context.
func (m *module) instantiate(ctx context.Context) (api.Module, error) {
	return m.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
}

// hostFunction is what a module may import. Its parameters and its result are on the stack.
type hostFunction struct {
	call       func(i *instance, stack []uint64)
	parameters []api.ValueType
	results    []api.ValueType
}

var contractImports = map[string]hostFunction{
	"submit": {func(i *instance, stack []uint64) {
		stack[0] = api.EncodeI32(int32(i.submit(uint32(stack[0]), uint32(stack[1]))))
	}, i32s(2), i32s(1)},
	"poll": {func(i *instance, stack []uint64) {
		stack[0] = api.EncodeI32(int32(i.poll(uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3]))))
	}, i32s(4), i32s(1)},
	"open": {func(i *instance, stack []uint64) {
		stack[0] = api.EncodeI32(int32(i.open(uint32(stack[0]), uint32(stack[1]))))
	}, i32s(2), i32s(1)},
	"abort": {func(i *instance, stack []uint64) {
		i.abort(uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3]), uint32(stack[4]), uint32(stack[5]))
	}, i32s(6), nil},
}

func i32s(count int) []api.ValueType {
	return []api.ValueType{
		api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32,
	}[:count]
}

func provide(ctx context.Context, runtime wazero.Runtime, name string, functions map[string]hostFunction) error {
	builder := runtime.NewHostModuleBuilder(name)
	for name, function := range functions {
		call := api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
			function.call(instanceOf(ctx), stack)
		})
		builder.NewFunctionBuilder().WithGoModuleFunction(call, function.parameters, function.results).Export(name)
	}
	_, err := builder.Instantiate(ctx)
	return err
}

func wrongImports(compiled wazero.CompiledModule) (wrong []string) {
	provided := map[string]map[string]hostFunction{contractModule: contractImports, wasiModule: wasiImports}
	for _, function := range compiled.ImportedFunctions() {
		from, name, _ := function.Import()
		if _, ok := provided[from][name]; !ok {
			wrong = append(wrong, fmt.Sprintf("it imports function %s.%s: this host does not provide it", from, name))
		}
	}
	for _, memory := range compiled.ImportedMemories() {
		from, name, _ := memory.Import()
		wrong = append(wrong, fmt.Sprintf("it imports memory %s.%s: this host does not provide it", from, name))
	}
	return wrong
}

func wrongExports(compiled wazero.CompiledModule) (wrong []string) {
	functions := compiled.ExportedFunctions()
	signatures := []struct {
		name                string
		parameters, results int
	}{{"run", 1, 1}, {"_initialize", 0, 0}}
	for _, wanted := range signatures {
		found := functions[wanted.name]
		switch {
		case found == nil:
			wrong = append(wrong, fmt.Sprintf("it exports no function %q", wanted.name))
		case !isI32s(found.ParamTypes(), wanted.parameters), !isI32s(found.ResultTypes(), wanted.results):
			wrong = append(wrong, fmt.Sprintf("its function %q takes or gives something else", wanted.name))
		}
	}
	if compiled.ExportedMemories()["memory"] == nil {
		wrong = append(wrong, `it exports no memory "memory"`)
	}
	return wrong
}

func isI32s(types []api.ValueType, count int) bool { return string(types) == string(i32s(count)) }

// startError is why a module could not be started, with the place in its source if it says one.
func startError(err error) error {
	var abort *guestAbort
	if errors.As(err, &abort) && abort.place.File != "" {
		return fmt.Errorf("the module trapped while it started: %s (%s:%d:%d)", abort.message, abort.place.File, abort.place.Line, abort.place.Column)
	}
	return fmt.Errorf("the module trapped while it started: %s", messageOf(err))
}
