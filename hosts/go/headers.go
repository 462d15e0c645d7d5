package proactor

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Headers of net/http, and the lists of pairs that guests have instead. A header's bytes are no UTF-8: as the fetch
// standard has it, each stands for the character of its number.

// headersOf makes headers of pairs, and refuses what HTTP does not allow.
func headersOf(pairs []pair) (http.Header, error) {
	headers := make(http.Header, len(pairs))
	for _, pair := range pairs {
		value, ok := utf8ToLatin1(strings.Trim(pair.value, " \t\r\n"))
		if !ok || !isToken(pair.name) || strings.ContainsAny(value, "\x00\r\n") {
			return nil, failed(StatusInvalid, "headers: %q is none", pair.name)
		}
		headers.Add(pair.name, value)
	}
	return headers, nil
}

// headerPairs are headers in lower case, sorted by name, one for each name; cookies that are set stay apart.
func headerPairs(headers http.Header) []pair {
	pairs := make([]pair, 0, len(headers))
	for name, values := range headers {
		name = strings.ToLower(name)
		switch {
		case name == "set-cookie":
			for _, value := range values {
				pairs = append(pairs, pair{name, latin1ToUTF8(value)})
			}
		case name == "cookie":
			pairs = append(pairs, pair{name, latin1ToUTF8(strings.Join(values, "; "))})
		case len(values) > 0:
			pairs = append(pairs, pair{name, latin1ToUTF8(strings.Join(values, ", "))})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return pairs
}

func isToken(text string) bool {
	for index := range len(text) {
		c := text[index]
		isAlphanumeric := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !isAlphanumeric && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return text != ""
}

func isASCII(text string) bool {
	for index := range len(text) {
		if text[index] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func latin1ToUTF8(text string) string {
	if isASCII(text) {
		return text
	}
	var builder strings.Builder
	for index := range len(text) {
		builder.WriteRune(rune(text[index]))
	}
	return builder.String()
}

func utf8ToLatin1(text string) (string, bool) {
	if isASCII(text) {
		return text, true
	}
	var builder strings.Builder
	for _, character := range text {
		if character > 0xff {
			return "", false
		}
		builder.WriteByte(byte(character))
	}
	return builder.String(), true
}
