package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoCluster reports replicas that are asked of a single server.
var ErrNoCluster = errors.New("only a cluster keeps replicas: MESSAGING_REPLICAS has to be 1")

// Streams is what EnsureStream needs of JetStream.
type Streams interface {
	Stream(ctx context.Context, name string) (jetstream.Stream, error)
	CreateStream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error)
	UpdateStream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error)
}

// EnsureStream makes the stream, or adds the subjects and replicas that it lacks; what operators
// have set stays. Its consumers get as many replicas as it has.
func EnsureStream(ctx context.Context, streams Streams, wanted jetstream.StreamConfig) error {
	existing, err := streams.Stream(ctx, wanted.Name)

	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		_, err = streams.CreateStream(ctx, wanted)
	case err == nil:
		err = complete(ctx, streams, existing.CachedInfo(), wanted)
	}

	if err != nil {
		return fmt.Errorf("stream %s: %w", wanted.Name, err)
	}

	return nil
}

// complete adds what the existing stream lacks, if anything.
func complete(
	ctx context.Context, streams Streams, existing *jetstream.StreamInfo, wanted jetstream.StreamConfig,
) error {
	config := existing.Config
	config.Replicas = max(config.Replicas, wanted.Replicas)

	for _, subject := range wanted.Subjects {
		if !slices.Contains(config.Subjects, subject) {
			config.Subjects = append(config.Subjects, subject)
		}
	}

	more := config.Replicas > existing.Config.Replicas

	// A single server takes the number for a stream that it has, and gives up the stream when it starts
	// again.
	if more && (existing.Cluster == nil || existing.Cluster.Name == "") {
		return ErrNoCluster
	}

	if !more && len(config.Subjects) == len(existing.Config.Subjects) {
		return nil
	}

	_, err := streams.UpdateStream(ctx, config)

	return err
}
