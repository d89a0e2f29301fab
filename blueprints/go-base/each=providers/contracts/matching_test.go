package contracts_test

// likeness is an example that stands for every value that its rule fits.
type likeness struct {
	example any
	rule    matchingRule
}

// matchingRule is one of Pact's.
type matchingRule struct {
	Match string `json:"match"`
	Regex string `json:"regex,omitempty"`
}

// matchingRules all hold.
type matchingRules struct {
	Combine  string         `json:"combine"`
	Matchers []matchingRule `json:"matchers"`
}

// textMatching stands for every text that the pattern fits.
func textMatching(pattern, example string) likeness {
	return likeness{example, matchingRule{Match: "regex", Regex: pattern}}
}

// takeExamples returns the value with examples for all that stands for others, and notes the rules
// of these by their path.
func takeExamples(value any, path string, found map[string]matchingRules) any {
	switch value := value.(type) {
	case likeness:
		found[path] = matchingRules{Combine: "AND", Matchers: []matchingRule{value.rule}}

		return value.example
	case map[string]any:
		plain := make(map[string]any, len(value))
		for name, member := range value {
			plain[name] = takeExamples(member, path+"."+name, found)
		}

		return plain
	default:
		return value
	}
}
