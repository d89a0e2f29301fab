package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Validator is a group of settings that knows which values make no sense.
type Validator interface {
	Validate() error
}

// Load fills the settings, a pointer to a struct with `env` tags, and reports
// every problem at once. Whether values make sense is asked once all are there.
func Load(environment Environment, settings any) error {
	variables, problems := resolve(environment, settings)
	options := env.Options{Environment: variables}

	if err := env.ParseWithOptions(settings, options); err != nil {
		problems = append(problems, describe(err, reflect.TypeOf(settings))...)
	} else {
		problems = append(problems, validate(reflect.ValueOf(settings))...)
	}

	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}

	return nil
}

// resolve looks up every variable that the settings ask for.
func resolve(environment Environment, settings any) (map[string]string, []error) {
	fields, err := env.GetFieldParams(settings)
	if err != nil {
		return nil, []error{err}
	}

	variables := make(map[string]string, len(fields))

	var problems []error

	for _, field := range fields {
		switch value, err := environment.Lookup(field.Key); {
		case err == nil:
			variables[field.Key] = value
		case !errors.Is(err, ErrNotSet):
			problems = append(problems, err)
			// It is set, if not well: that it is required is no second problem.
			variables[field.Key] = field.DefaultValue
		}
	}

	return variables, problems
}

// describe names the variable, which the operator knows, instead of the field.
func describe(err error, settings reflect.Type) []error {
	aggregate, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []error{err}
	}

	problems := make([]error, 0, len(aggregate.Errors))

	for _, problem := range aggregate.Errors {
		if parse, ok := errors.AsType[env.ParseError](problem); ok {
			problem = fmt.Errorf("%s: %w", variable(settings, parse.Name), parse.Err)
		}

		problems = append(problems, problem)
	}

	return problems
}

// variable finds the variable behind a field's name, else returns that name.
func variable(settings reflect.Type, field string) string {
	for settings.Kind() == reflect.Pointer {
		settings = settings.Elem()
	}

	for candidate := range settings.Fields() {
		if key, _, _ := strings.Cut(candidate.Tag.Get("env"), ","); candidate.Name == field && key != "" {
			return key
		}

		if candidate.Type.Kind() == reflect.Struct {
			if key := variable(candidate.Type, field); key != field {
				return key
			}
		}
	}

	return field
}

// validate asks the settings and each group in them.
func validate(settings reflect.Value) []error {
	settings = reflect.Indirect(settings)
	candidates := []any{settings.Interface()}

	for _, field := range settings.Fields() {
		candidates = append(candidates, field.Interface())
	}

	var problems []error

	for _, candidate := range candidates {
		if validator, ok := candidate.(Validator); ok {
			if err := validator.Validate(); err != nil {
				problems = append(problems, err)
			}
		}
	}

	return problems
}
