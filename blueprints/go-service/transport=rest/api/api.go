// Package api holds the contract of the service.
package api

import _ "embed" // For the document.

//go:generate go tool -modfile=../tools.mod oapi-codegen --config=oapi-codegen.yaml openapi.yaml

// Document is the OpenAPI description of the service.
//
//go:embed openapi.yaml
var Document []byte
