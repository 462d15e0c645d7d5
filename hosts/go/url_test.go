package proactor

import (
	"net/http/httptest"
	"testing"
)

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

func TestARequestThatNamesNoHostHasOneAllTheSame(t *testing.T) {
	for host, expected := range map[string]string{
		"":       "http://localhost/public?a",
		"a.test": "http://a.test/public?a",
	} {
		request := httptest.NewRequest("GET", "/public?a", nil)
		request.Host = host
		if found := urlOf(request); found != expected {
			t.Errorf("%q: %s, not %s", host, found, expected)
		}
	}
}
