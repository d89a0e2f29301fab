package contracts_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// Forms of ids and times.
const (
	uuidPattern = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	timePattern = `^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$`
)

// httpExchange is one call of a provider.
type httpExchange struct {
	description string
	states      []providerState
	answer      httpAnswer
	// call is made for real; it checks what the client makes of the answer.
	call func(t *testing.T, address string)
}

// providerState is what the provider is to bring about before the interaction.
type providerState struct {
	Name   string         `json:"name"`
	Params map[string]any `json:"params,omitempty"`
}

// httpAnswer is what the client relies on.
type httpAnswer struct {
	status      int
	contentType string
	content     map[string]any
}

// httpInteraction is an exchange in Pact's format.
type httpInteraction struct {
	Description    string          `json:"description"`
	ProviderStates []providerState `json:"providerStates,omitempty"`
	Request        httpRequest     `json:"request"`
	Response       httpResponse    `json:"response"`
	Type           string          `json:"type"`
}

type httpRequest struct {
	Body    *pactBody   `json:"body,omitempty"`
	Headers http.Header `json:"headers,omitempty"`
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Query   url.Values  `json:"query,omitempty"`
}

type httpResponse struct {
	Body          pactBody                            `json:"body"`
	Headers       map[string][]string                 `json:"headers"`
	MatchingRules map[string]map[string]matchingRules `json:"matchingRules,omitempty"`
	Status        int                                 `json:"status"`
}

// recordCalls makes each call against a server that knows nothing but its answer.
func recordCalls(t *testing.T, exchanges []httpExchange) []pactInteraction {
	t.Helper()

	interactions := make([]pactInteraction, len(exchanges))
	for index, exchange := range exchanges {
		interactions[index] = exchange.record(t)
	}

	return interactions
}

func (e httpExchange) record(t *testing.T) pactInteraction {
	t.Helper()

	var (
		mutex    sync.Mutex
		requests []httpRequest
	)

	matched := make(map[string]matchingRules)
	content := takeExamples(e.answer.content, "$", matched)

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()

		requests = append(requests, requestOf(t, r))

		w.Header().Set("Content-Type", e.answer.contentType)
		w.WriteHeader(e.answer.status)

		if err := json.NewEncoder(w).Encode(content); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()

	e.call(t, server.URL)

	mutex.Lock()
	defer mutex.Unlock()

	if len(requests) != 1 {
		t.Fatalf("%s: %d requests were made instead of one", e.description, len(requests))
	}

	return httpInteraction{
		Description:    e.description,
		ProviderStates: e.states,
		Request:        requests[0],
		Response: httpResponse{
			Body:          pactBody{Content: content, ContentType: e.answer.contentType},
			Headers:       map[string][]string{"Content-Type": {e.answer.contentType}},
			MatchingRules: map[string]map[string]matchingRules{"body": matched},
			Status:        e.answer.status,
		},
		Type: "Synchronous/HTTP",
	}
}

// requestOf leaves out the headers that say nothing of what is asked for.
func requestOf(t *testing.T, r *http.Request) httpRequest {
	t.Helper()

	headers := r.Header.Clone()
	for _, name := range []string{"Accept-Encoding", "Content-Length", "Traceparent", "User-Agent"} {
		headers.Del(name)
	}

	made := httpRequest{Headers: headers, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query()}

	sent, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}

	if len(sent) == 0 {
		return made
	}

	made.Body = &pactBody{ContentType: headers.Get("Content-Type")}
	if err := json.Unmarshal(sent, &made.Body.Content); err != nil {
		t.Error(err)
	}

	return made
}

// problemAnswer is an answer whose status says what it means.
func problemAnswer(status int) httpAnswer {
	return httpAnswer{status, "application/problem+json", map[string]any{
		"type":   anyText("about:blank"),
		"title":  anyText(http.StatusText(status)),
		"status": status,
	}}
}

// anyText stands for every text.
func anyText(example string) likeness { return likeness{example, matchingRule{Match: "type"}} }
