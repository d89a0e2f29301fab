package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"

	transactionAttempts = 5
	transactionPause    = 10 * time.Millisecond
)

// Beginner starts transactions; a pool is one.
type Beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// InTransaction commits what the action did, or none of it. Where the database
// gave up the transaction in favour of another one, the whole action runs again.
func InTransaction(ctx context.Context, database Beginner, action func(pgx.Tx) error) error {
	pause := transactionPause

	for attempt := 1; ; attempt++ {
		err := pgx.BeginFunc(ctx, database, action)
		if err == nil {
			return nil
		}

		if attempt == transactionAttempts || !retryable(err) {
			return fmt.Errorf("transaction: %w", err)
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("transaction: %w", errors.Join(ctx.Err(), err))
		case <-time.After(jitter(pause)):
			pause *= 2
		}
	}
}

func retryable(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)

	return ok && (failure.Code == serializationFailure || failure.Code == deadlockDetected)
}
