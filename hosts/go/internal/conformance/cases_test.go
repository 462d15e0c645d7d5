package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const repository = "../../../../"

type step struct {
	Do     json.RawMessage `json:"do"`
	Expect map[string]any  `json:"expect"`
}

// Every case of conformance/cases, acted out in this process.
func TestCases(t *testing.T) {
	if _, err := os.Stat(repository + "build/conformance"); err != nil {
		t.Fatal("There is no build/conformance: run `npm run build` in the repository first, which compiles the guests.")
	}
	files, _ := filepath.Glob(repository + "conformance/cases/*.json")
	if len(files) == 0 {
		t.Fatal("There are no cases in conformance/cases.")
	}
	for _, file := range files {
		var cases []struct {
			Title string `json:"title"`
			Steps []step `json:"steps"`
		}
		source, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(source, &cases)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		suite := strings.TrimSuffix(filepath.Base(file), ".json")
		for _, c := range cases {
			t.Run(suite+"/"+c.Title, func(t *testing.T) { act(t, c.Steps) })
		}
	}
}

func act(t *testing.T, steps []step) {
	var driver Driver
	for index, step := range steps {
		var command Command
		var line bytes.Buffer // The runner sends a command as a line.
		if err := json.Compact(&line, step.Do); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line.Bytes(), &command); err != nil {
			t.Fatal(err)
		}
		if command.Module != "" {
			command.Module = repository + command.Module
		}
		if lines := difference(step.Expect, generic(t, driver.Perform(command))); len(lines) > 0 {
			t.Fatalf("step %d: %s\n%s", index+1, line.String(), strings.Join(lines, "\n"))
		}
	}
}

// generic is the reply as the protocol has it.
func generic(t *testing.T, reply Reply) (fields map[string]any) {
	source, err := json.Marshal(reply)
	if err == nil {
		err = json.Unmarshal(source, &fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// difference is what was expected and not found, a line each with −, and the other way round with +.
func difference(expected, found map[string]any) (lines []string) {
	want, got := alike(expected), alike(found)
	if reflect.DeepEqual(want, got) {
		return nil
	}
	before, after := linesOf(want), linesOf(got)
	for _, line := range before {
		mark := "  "
		if !slices.Contains(after, line) {
			mark = "− "
		}
		lines = append(lines, mark+line)
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			lines = append(lines, "+ "+line)
		}
	}
	return lines
}

// linesOf has a line for each thing that is seen.
func linesOf(reply map[string]any) (lines []string) {
	for field, value := range reply {
		entries, ok := value.([]any)
		if !ok {
			entries = []any{value}
		}
		for index, entry := range entries {
			text, _ := json.Marshal(entry)
			lines = append(lines, fmt.Sprintf("%s %3d: %s", field, index, text))
		}
	}
	slices.Sort(lines)
	return lines
}

// alike leaves out what hosts may differ in, and what is empty.
func alike(reply map[string]any) map[string]any {
	for field, key := range map[string]string{"calls": "call", "answers": "id"} {
		sortBy(reply[field], func(entry any) string { return entry.(map[string]any)[key].(string) })
		entries, _ := reply[field].([]any)
		for _, entry := range entries {
			sortBy(entry.(map[string]any)["headers"], func(pair any) string { return pair.([]any)[0].(string) })
		}
	}
	for _, field := range []string{"aborted", "closed"} {
		sortBy(reply[field], func(name any) string { return name.(string) })
	}
	reports, _ := reply["reports"].([]any)
	for _, report := range reports {
		// What the guest itself says is the guest's; the other words are the host's.
		if file, _ := report.(map[string]any)["file"].(string); file == "" {
			delete(report.(map[string]any), "message")
		}
	}
	filled, _ := withoutEmpty(reply).(map[string]any)
	return filled
}

func sortBy(list any, key func(any) string) {
	entries, _ := list.([]any)
	slices.SortStableFunc(entries, func(a, b any) int { return strings.Compare(key(a), key(b)) })
}

func withoutEmpty(value any) any {
	switch value := value.(type) {
	case []any:
		for index := range value {
			value[index] = withoutEmpty(value[index])
		}
	case map[string]any:
		for key, inner := range value {
			value[key] = withoutEmpty(inner)
			list, isList := inner.([]any)
			if key != "value" && (inner == "" || isList && len(list) == 0) {
				delete(value, key)
			}
		}
	}
	return value
}
