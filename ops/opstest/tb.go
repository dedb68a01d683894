package opstest

// TB is what the package needs of a test: a *testing.T or *testing.B. Fatalf does not return: it ends the test, as theirs
// does, on the goroutine that called the harness. That is the test's own: nothing here may be used from another.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Name() string
}

// stopped ends a piece of test code early: it is caught by [world.try] or by Explore.
type stopped struct{ err error }

// fail ends the test, or what [world.try] runs.
func (w *world) fail(err error) {
	w.tb.Helper()
	err = inTest(err)
	if w.trying > 0 {
		panic(stopped{err})
	}
	w.tb.Fatalf("%v", describe(err))
}

// ok ends the test if err is not nil.
func (w *world) ok(err error) {
	w.tb.Helper()
	if err != nil {
		w.fail(err)
	}
}

// try runs a piece of test code and returns what would have ended the test.
func (w *world) try(f func()) (err error) {
	w.trying++
	defer func() {
		w.trying--
		switch r := recover().(type) {
		case nil:
		case stopped:
			err = r.err
		default:
			panic(r)
		}
	}()
	f()
	return nil
}
