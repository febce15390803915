package main

import (
	"os/user"

	"github.com/loginunico/loginunico/internal/audit"
)

// login is who runs a command, for the audit.
func login() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

func operator(name string) audit.Actor { return audit.Actor{Kind: audit.Operator, ID: name} }
