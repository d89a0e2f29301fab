package nats_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	broker "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// server stands in for JetStream.
type server struct {
	jetstream.Consumer

	missing  atomic.Bool
	refused  atomic.Int64
	mutex    sync.Mutex
	refusing bool
	waiting  []jetstream.Msg
	letters  []*broker.Msg
}

func (*server) CreateStream(context.Context, jetstream.StreamConfig) (jetstream.Stream, error) {
	return nil, jetstream.ErrStreamNameAlreadyInUse
}

func (s *server) CreateOrUpdateConsumer(
	context.Context, string, jetstream.ConsumerConfig,
) (jetstream.Consumer, error) {
	if s.missing.Load() {
		s.refused.Add(1)

		return nil, jetstream.ErrStreamNotFound
	}

	return s, nil
}

func (s *server) PublishMsg(
	_ context.Context, letter *broker.Msg, _ ...jetstream.PublishOpt,
) (*jetstream.PubAck, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	if s.refusing {
		return nil, errors.New("no room")
	}

	s.letters = append(s.letters, letter)

	return &jetstream.PubAck{}, nil
}

func (s *server) Fetch(limit int, _ ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	time.Sleep(time.Millisecond)

	count := min(limit, len(s.waiting))
	batch := make(batch, count)

	for _, message := range s.waiting[:count] {
		batch <- message
	}

	close(batch)

	s.waiting = s.waiting[count:]

	return batch, nil
}

func (s *server) deadLetters() []*broker.Msg {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	return s.letters
}

type batch chan jetstream.Msg

func (b batch) Messages() <-chan jetstream.Msg { return b }

func (batch) Error() error { return nil }

// message records how it was settled.
type message struct {
	jetstream.Msg

	headers    broker.Header
	deliveries uint64
	settled    chan string
	isSettled  atomic.Bool
	delay      time.Duration
	beats      chan struct{}
}

func newMessage() *message {
	return &message{
		headers:    broker.Header{"ce-id": {"id-1"}, "ce-type": {"provider.happened"}},
		deliveries: 1,
		settled:    make(chan string, 1),
		beats:      make(chan struct{}, 1),
	}
}

func (*message) Data() []byte { return []byte("payload") }

func (*message) Subject() string { return "provider.happened" }

func (m *message) Headers() broker.Header { return m.headers }

func (m *message) Metadata() (*jetstream.MsgMetadata, error) {
	return &jetstream.MsgMetadata{
		Stream:       "PROVIDER",
		NumDelivered: m.deliveries,
		Sequence:     jetstream.SequencePair{Stream: 7},
	}, nil
}

func (m *message) DoubleAck(context.Context) error {
	m.isSettled.Store(true)
	m.settled <- "acknowledged"

	return nil
}

func (m *message) NakWithDelay(delay time.Duration) error {
	m.delay = delay
	m.settled <- "postponed"

	return nil
}

func (m *message) TermWithReason(string) error {
	m.settled <- "given up"

	return nil
}

func (m *message) InProgress() error {
	select {
	case m.beats <- struct{}{}:
	default:
	}

	return nil
}

// becomes waits until the message is settled.
func (m *message) becomes(t *testing.T, want string) {
	t.Helper()

	select {
	case got := <-m.settled:
		if got != want {
			t.Fatalf("the message is %s, want %s", got, want)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("the message was never %s", want)
	}
}
