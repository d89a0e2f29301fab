package contracttest_test

import broker "github.com/nats-io/nats.go"

// contentType is a header of its own among those that describe a message.
const contentType = "content-type"

// asMessage shows what is published.
func asMessage(published *broker.Msg) contractMessage {
	made := contractMessage{
		Contents:    published.Data,
		ContentType: published.Header.Get(contentType),
		Metadata:    make(map[string]string),
	}

	for name := range published.Header {
		made.Metadata[name] = published.Header.Get(name)
	}

	delete(made.Metadata, contentType)

	return made
}
