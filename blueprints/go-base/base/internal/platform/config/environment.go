// Package config reads the settings of the process from its environment.
package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// fileSuffix marks a variable that names the file which holds the value.
const fileSuffix = "_FILE"

// ErrNotSet reports a variable that is neither set itself nor through a file.
var ErrNotSet = errors.New("not set")

// Environment is what the process was started with.
type Environment struct {
	variables map[string]string
}

// NewEnvironment takes lines of the form NAME=value, as os.Environ gives them.
func NewEnvironment(lines []string) Environment {
	variables := make(map[string]string, len(lines))

	for _, line := range lines {
		if name, value, found := strings.Cut(line, "="); found {
			variables[name] = value
		}
	}

	return Environment{variables: variables}
}

// Lookup returns the value of name. NAME_FILE, the path of a file that holds
// the value, beats NAME and is read at every call, so that a rotated secret is seen.
func (e Environment) Lookup(name string) (string, error) {
	if path := e.variables[name+fileSuffix]; path != "" {
		content, err := os.ReadFile(path) //nolint:gosec // The operator chooses the path.
		if err != nil {
			return "", fmt.Errorf("%s: %w", name+fileSuffix, err)
		}

		return strings.TrimRight(string(content), "\r\n"), nil
	}

	if value, found := e.variables[name]; found {
		return value, nil
	}

	return "", fmt.Errorf("%s: %w", name, ErrNotSet)
}

// Source yields a secret anew each time it is asked.
type Source func() (Secret, error)

// Source returns the Source of the variable name.
func (e Environment) Source(name string) Source {
	return func() (Secret, error) {
		value, err := e.Lookup(name)

		return Secret(value), err
	}
}
