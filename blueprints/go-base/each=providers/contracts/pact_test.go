// Package contracts_test records what this service expects of those that it calls and of those
// whose events it consumes. There is one pact for each, which the provider is verified against.
package contracts_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

const (
	// updateVariable has the pacts written, where else they are compared.
	updateVariable = "UPDATE_CONTRACTS"
	// specification is the version of Pact's format.
	specification = "4.0"
)

// recordFunc goes through interactions with a provider for real and returns them.
type recordFunc func(t *testing.T) []pactInteraction

// pactInteraction is a request with its answer, or a message, in Pact's format.
type pactInteraction any

// pactParty is one side of a contract.
type pactParty struct {
	Name string `json:"name"`
}

// pactBody is that of a request, an answer or a message.
type pactBody struct {
	Content     any    `json:"content"`
	ContentType string `json:"contentType"`
	Encoded     bool   `json:"encoded"`
}

// expectPact compares the committed pact with what is recorded.
func expectPact(t *testing.T, consumer, provider string, records ...recordFunc) {
	t.Helper()

	var interactions []pactInteraction
	for _, record := range records {
		interactions = append(interactions, record(t)...)
	}

	if t.Failed() {
		return
	}

	recorded := encodePact(t, map[string]any{
		"consumer":     pactParty{consumer},
		"provider":     pactParty{provider},
		"interactions": interactions,
		"metadata":     map[string]any{"pactSpecification": map[string]string{"version": specification}},
	})
	file := consumer + "--" + provider + ".json"

	if os.Getenv(updateVariable) != "" {
		if err := os.WriteFile(file, recorded, 0o644); err != nil {
			t.Fatal(err)
		}

		return
	}

	committed, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; to record it, run: %s=1 go test ./contracts", err, updateVariable)
	}

	if !bytes.Equal(committed, recorded) {
		t.Errorf("%s is not what was recorded.\n%s\nIf that is meant, run: %s=1 go test ./contracts",
			file, firstDifference(string(committed), string(recorded)), updateVariable)
	}
}

// encodePact gives the same bytes for the same pact.
func encodePact(t *testing.T, pact any) []byte {
	t.Helper()

	var text bytes.Buffer

	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")

	if err := encoder.Encode(pact); err != nil {
		t.Fatal(err)
	}

	return text.Bytes()
}

// firstDifference shows the first line that is not the same.
func firstDifference(committed, recorded string) string {
	before, after := strings.Split(committed, "\n"), strings.Split(recorded, "\n")

	at := 0
	for at < min(len(before), len(after))-1 && before[at] == after[at] {
		at++
	}

	return fmt.Sprintf("line %d\n\tcommitted: %s\n\trecorded:  %s", at+1, before[at], after[at])
}
