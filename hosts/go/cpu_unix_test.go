//go:build unix

package proactor_test

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used. On a busy machine it says more than the clock.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
