// Package inbox forgets the messages that will not come again.
package inbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	interval  = time.Hour
	timeout   = time.Minute
	batchSize = 1000
)

// Settings of the inbox.
type Settings struct {
	// Retention is how long a message is remembered. It is longer than brokers keep messages, else
	// one that comes again late is taken for a new one.
	Retention time.Duration `env:"INBOX_RETENTION" envDefault:"720h"`
}

// Validate reports times that make no sense.
func (s Settings) Validate() error {
	if s.Retention <= 0 {
		return errors.New("INBOX_RETENTION: must be positive")
	}

	return nil
}

// Memory remembers messages.
type Memory interface {
	// Forget removes at most limit messages that came before the given time, and returns how many.
	Forget(ctx context.Context, before time.Time, limit int) (int, error)
}

// Cleaner keeps a memory from growing for ever.
type Cleaner struct {
	settings Settings
	memory   Memory
	logger   *slog.Logger
}

// NewCleaner returns a Cleaner of the memory.
func NewCleaner(settings Settings, memory Memory, logger *slog.Logger) *Cleaner {
	return &Cleaner{settings: settings, memory: memory, logger: logger}
}

// Run cleans now and then until the context ends. What goes wrong is left to the next time.
func (c *Cleaner) Run(ctx context.Context) error {
	for {
		if err := c.Clean(ctx); err != nil && ctx.Err() == nil {
			c.logger.WarnContext(ctx, "inbox was not cleaned", slog.Any("error", err))
		}

		// Processes that started together do not clean together.
		pause := interval/2 + rand.N(interval) //nolint:gosec // Nothing secret depends on it.

		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// Clean forgets in small steps, each of which locks little.
func (c *Cleaner) Clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	before := time.Now().Add(-c.settings.Retention)

	for {
		forgotten, err := c.memory.Forget(ctx, before, batchSize)
		if err != nil || forgotten < batchSize {
			return err
		}
	}
}
