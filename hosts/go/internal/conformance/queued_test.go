package conformance

import (
	"slices"
	"testing"
)

// A fetch that is cancelled while it waits for a connection never sends the body that it has taken, so it lets go of it.
func TestWhatNeverGotAConnectionLetsGoOfItsBody(t *testing.T) {
	var driver Driver
	start := Command{Do: "start", Module: repository + "build/conformance/probe.wasm"}
	start.Limits.Connections = 1
	start.Resources = map[string]Granted{"API": {Origins: []string{"https://api.test"}}}
	if reply := driver.Perform(start); reply.Error != "" || reply.Refused {
		t.Fatalf("%+v", reply)
	}
	driver.Perform(Command{Do: "request", ID: "a", URL: "http://guest.test/", Headers: [][2]string{{"x-probe",
		"open API; fetch slot=5 resource=$API meta=pairs:GET,/first" +
			" | fetch slot=6 resource=$API meta=pairs:GET,/slow; fetch slot=7 resource=$API meta=pairs:POST,/queued a2=$5; noop slot=8" +
			" | cancel slot=9 a0=7 a1=1" +
			" | noop slot=10"}}})
	const first = "API GET https://api.test/first"
	reply := driver.Perform(Command{Do: "complete", Calls: []Returned{
		{Call: first, With: Result{Body: &Content{bytes: []byte("body")}}},
	}})
	if len(reply.Calls) != 1 || !slices.Contains(reply.Closed, first) {
		t.Errorf("%+v", reply)
	}
}
