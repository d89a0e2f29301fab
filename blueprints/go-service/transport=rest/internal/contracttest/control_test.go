package contracttest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// expectAll asks for every state and every message once, and for what is unknown.
func expectAll(t *testing.T, provider contractProvider) {
	t.Helper()

	harness := newHarness(provider, func() {})

	for name := range provider.states {
		ask(t, harness, "state", `{"action":"setup","states":[{"name":`+quoted(t, name)+`}]}`, http.StatusOK)
	}

	for description := range provider.messages {
		body := ask(t, harness, "message", `{"description":`+quoted(t, description)+`}`, http.StatusOK)
		if !strings.Contains(body, `"ce-type":"`) {
			t.Errorf("%s does not say what it is: %s", description, body)
		}
	}

	ask(t, harness, "state", `{"action":"teardown"}`, http.StatusOK)

	for path, body := range map[string]string{
		"state":   `{"action":"setup","states":[{"name":"unheard of"}]}`,
		"message": `{"description":"unheard of"}`,
	} {
		if body := ask(t, harness, path, body, http.StatusNotFound); !strings.Contains(body, `"known":[`) {
			t.Errorf("it does not say what is known: %s", body)
		}
	}
}

func ask(t *testing.T, harness http.Handler, path, body string, want int) string {
	t.Helper()

	recorder := httptest.NewRecorder()
	harness.ServeHTTP(recorder, httptest.NewRequestWithContext(
		t.Context(), http.MethodPost, controlPrefix+path, strings.NewReader(body)))

	if recorder.Code != want {
		t.Errorf("%s answered %d to %s: %s", path, recorder.Code, body, recorder.Body)
	}

	return recorder.Body.String()
}

func quoted(t *testing.T, text string) string {
	t.Helper()

	literal, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}

	return string(literal)
}
