package proactor

import (
	"context"
	"errors"
	"fmt"
)

// failure is an error that becomes a completion's status, with a message that travels as its payload.
type failure struct {
	status  Status
	message string
}

func (f *failure) Error() string { return f.message }

func failed(status Status, format string, arguments ...any) error {
	return &failure{status, fmt.Sprintf(format, arguments...)}
}

// statusOf is the status for whatever the work of an operation has failed with.
func statusOf(err error) Status {
	var own *failure
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.Is(err, context.Canceled):
		return StatusAborted
	default:
		return StatusFailed
	}
}
