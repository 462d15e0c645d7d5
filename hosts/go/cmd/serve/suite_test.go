package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// nodeMajor is the first Node that runs the suite's TypeScript as it is.
const nodeMajor = 24

// The project's HTTP suite, against this command: conformance/http in the repository.
func TestHTTPSuite(t *testing.T) {
	repository, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(repository, "build/worker.wasm")); err != nil {
		t.Fatal("There is no build/worker.wasm: run `npm run build` in the repository first.")
	}
	node := findNode(t, repository)
	serve := filepath.Join(t.TempDir(), "serve")
	if output, err := exec.Command("go", "build", "-o", serve, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	suite := exec.Command(node, "conformance/http/run.ts",
		"--serve", serve+" {module} --port 0 --kv CACHE --origin UPSTREAM={upstream}",
		"--skip", "refusals: /kv/%e=net/http itself refuses a path whose escapes are malformed")
	suite.Dir = repository
	output, err := suite.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	t.Log(lines[len(lines)-1])
}

// findNode prefers the repository's own.
func findNode(t *testing.T, repository string) string {
	candidates := []string{filepath.Join(repository, "node_modules/.bin/node"), "node"}
	for _, candidate := range candidates {
		version, err := exec.Command(candidate, "--version").Output()
		major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
		if number, _ := strconv.Atoi(major); err == nil && number >= nodeMajor {
			return candidate
		}
	}
	// On somebody's machine these are not run; in CI that is a failure.
	notRun := t.Skipf
	if os.Getenv("CI") != "" {
		notRun = t.Fatalf
	}
	notRun("There is no Node %d, which runs the HTTP suite: `npm ci` in the repository brings it.", nodeMajor)
	return ""
}
