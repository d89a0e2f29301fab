package config

import (
	"fmt"
	"log/slog"
)

const redacted = "***"

// Secret is a string that no log line, error or document shows by accident.
type Secret string

var (
	_ fmt.Formatter  = Secret("")
	_ slog.LogValuer = Secret("")
)

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// Format prints stars, whichever verb is used.
func (Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

// LogValue gives stars to structured logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText gives stars to JSON, YAML and their like.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
