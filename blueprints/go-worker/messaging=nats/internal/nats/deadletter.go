package nats

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What a dead letter says about itself, beside the headers of the message it was.
const (
	headerReason     = "dead-reason"
	headerStream     = "dead-stream"
	headerSequence   = "dead-sequence"
	headerSubject    = "dead-subject"
	headerConsumer   = "dead-consumer"
	headerDeliveries = "dead-deliveries"

	// Headers of the broker are instructions for the stream that the message came from.
	brokerHeaderPrefix = "Nats-"

	maxReasonLength = 512
)

type deadLetterPublisher interface {
	PublishMsg(
		ctx context.Context, msg *nats.Msg, options ...jetstream.PublishOpt,
	) (*jetstream.PubAck, error)
}

// publishDeadLetter copies the message to the dead letters. Its id there is the place that it came
// from, so a copy that is sent twice is kept once.
func publishDeadLetter(
	ctx context.Context, publisher deadLetterPublisher, subscription Subscription, buried delivery,
) error {
	sequence := strconv.FormatUint(buried.metadata.Sequence.Stream, 10)
	letter := nats.NewMsg(subscription.DeadLetterSubject)
	letter.Data = buried.msg.Data()

	maps.Copy(letter.Header, buried.msg.Headers())
	maps.DeleteFunc(letter.Header, func(name string, _ []string) bool {
		return strings.HasPrefix(name, brokerHeaderPrefix)
	})

	letter.Header.Set(jetstream.MsgIDHeader, subscription.Durable+"/"+sequence)
	letter.Header.Set(headerReason, reason(buried.err))
	letter.Header.Set(headerStream, buried.metadata.Stream)
	letter.Header.Set(headerSequence, sequence)
	letter.Header.Set(headerSubject, buried.msg.Subject())
	letter.Header.Set(headerConsumer, subscription.Durable)
	letter.Header.Set(headerDeliveries, strconv.FormatUint(buried.metadata.NumDelivered, 10))

	_, err := publisher.PublishMsg(ctx, letter, jetstream.WithExpectStream(subscription.DeadLetterStream))
	if err != nil {
		return fmt.Errorf("dead letter to %s: %w", subscription.DeadLetterSubject, err)
	}

	return nil
}

// reason is the error on one line, short enough for a header.
func reason(err error) string {
	line := strings.ReplaceAll(err.Error(), "\n", "; ")

	return strings.ToValidUTF8(line[:min(len(line), maxReasonLength)], "")
}
