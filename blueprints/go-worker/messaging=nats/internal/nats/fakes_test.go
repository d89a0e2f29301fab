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
	"github.com/prometheus/client_golang/prometheus"
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
	made     jetstream.StreamConfig
	metrics  *prometheus.Registry

	// silent is a server that cannot be reached once its messages are delivered.
	silent bool
}

func (*server) Stream(context.Context, string) (jetstream.Stream, error) {
	return nil, jetstream.ErrStreamNotFound
}

func (s *server) CreateStream(_ context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	s.made = config

	return nil, nil //nolint:nilnil // Nobody looks at it.
}

func (*server) UpdateStream(context.Context, jetstream.StreamConfig) (jetstream.Stream, error) {
	return nil, errors.New("nothing is there")
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
	fetched := batch{messages: make(chan jetstream.Msg, count)}

	if s.silent && count == 0 {
		s.missing.Store(true)
		time.Sleep(20 * time.Millisecond)

		fetched.err = context.DeadlineExceeded
	}

	for _, message := range s.waiting[:count] {
		fetched.messages <- message
	}

	close(fetched.messages)

	s.waiting = s.waiting[count:]

	return fetched, nil
}

// pending is how many messages are said to wait.
func (s *server) pending(t *testing.T) float64 {
	t.Helper()

	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}

	for _, family := range families {
		if family.GetName() == "events_pending" {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}

	t.Fatal("nothing is said to be pending")

	return 0
}

func (s *server) deadLetters() []*broker.Msg {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	return s.letters
}

type batch struct {
	messages chan jetstream.Msg
	err      error
}

func (b batch) Messages() <-chan jetstream.Msg { return b.messages }

func (b batch) Error() error { return b.err }

// message records how it was settled.
type message struct {
	jetstream.Msg

	headers    broker.Header
	sequence   uint64
	deliveries uint64
	left       uint64
	settled    chan string
	isSettled  atomic.Bool
	delay      time.Duration
	beats      chan struct{}
}

func newMessage() *message {
	return &message{
		headers:    broker.Header{"ce-id": {"id-1"}, "ce-type": {"provider.happened"}},
		sequence:   7,
		deliveries: 1,
		settled:    make(chan string, 1),
		beats:      make(chan struct{}, 1),
	}
}

// deliver makes one delivery after the other of the messages at these places.
func deliver(sequences ...uint64) ([]*message, *server) {
	deliveries, source := make([]*message, len(sequences)), &server{}
	counts := make(map[uint64]uint64)

	for index, sequence := range sequences {
		counts[sequence]++

		deliveries[index] = newMessage()
		deliveries[index].sequence = sequence
		deliveries[index].deliveries = counts[sequence]
		source.waiting = append(source.waiting, deliveries[index])
	}

	return deliveries, source
}

func (*message) Data() []byte { return []byte("payload") }

func (*message) Subject() string { return "provider.happened" }

func (m *message) Headers() broker.Header { return m.headers }

func (m *message) Metadata() (*jetstream.MsgMetadata, error) {
	return &jetstream.MsgMetadata{
		Stream:       "PROVIDER",
		NumDelivered: m.deliveries,
		NumPending:   m.left,
		Sequence:     jetstream.SequencePair{Stream: m.sequence},
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
