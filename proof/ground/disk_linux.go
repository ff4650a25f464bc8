package ground

import (
	"fmt"
	"syscall"
)

// mount puts a disk of memory of so many megabytes at dir.
func mount(dir string, megabytes int) error {
	return syscall.Mount("wishdesk-proof", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=711", megabytes))
}

func unmount(dir string) error { return syscall.Unmount(dir, 0) }
