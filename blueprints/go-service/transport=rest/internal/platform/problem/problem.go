// Package problem answers with RFC 9457 problem details.
package problem

import (
	"encoding/json"
	"net/http"

	"go.opentelemetry.io/otel/trace"
)

// ContentType of problem details.
const ContentType = "application/problem+json"

// Details of a problem. Nothing that only the service should know belongs in them.
type Details struct {
	Type    string      `json:"type"`
	Title   string      `json:"title"`
	Status  int         `json:"status"`
	Detail  string      `json:"detail,omitempty"`
	TraceID string      `json:"trace_id,omitempty"`
	Errors  []Violation `json:"errors,omitempty"`
}

// Violation is one thing that is wrong with a request.
type Violation struct {
	// Pointer leads to a member of the body.
	Pointer string `json:"pointer,omitempty"`
	// Parameter is the name of a path, query or header parameter.
	Parameter string `json:"parameter,omitempty"`
	Detail    string `json:"detail"`
}

// Write answers with the status and what the caller can do about it.
func Write(w http.ResponseWriter, r *http.Request, status int, detail string, violations ...Violation) {
	details := Details{
		Type:   "about:blank",
		Title:  http.StatusText(status),
		Status: status,
		Detail: detail,
		Errors: violations,
	}

	if span := trace.SpanContextFromContext(r.Context()); span.HasTraceID() {
		details.TraceID = span.TraceID().String()
	}

	w.Header().Set("Content-Type", ContentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)

	// The status line is out: a caller that has gone away is none of our concern.
	_ = json.NewEncoder(w).Encode(details)
}
