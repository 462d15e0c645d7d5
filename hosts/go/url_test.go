package proactor

import "testing"

func TestTargetsAreWrittenInOneWay(t *testing.T) {
	for target, expected := range map[string]string{
		"/":                      "/",
		"/hello":                 "/hello",
		"/hello/../hello?a=/../": "/hello?a=/../",
		"/a/b/%2e%2E/c":          "/a/c",
		"/a/.%2e":                "/",
		"/a/b/..":                "/a/",
		"/./hello/.":             "/hello/",
		"/../../x":               "/x",
		`/a\..\b`:                "/b",
		"/a#b":                   "/a",
		"/proxy//x":              "/proxy//x",
		"/proxy/..//x":           "//x",
		"/.well-known/x":         "/.well-known/x",
		"/a...b/%2f":             "/a...b/%2f",
		"/?":                     "/?",
		"/a/..?":                 "/?",
	} {
		if found := normalTarget(target); found != expected {
			t.Errorf("%s: %s, not %s", target, found, expected)
		}
	}
}
