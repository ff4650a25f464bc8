// Bench measures the product beside what it stands on, in one run, on one machine and
// the same stores:
//
//	make bench                     medians of several rounds; growth alone makes five
//	                               million tickets, which takes long and about 40 GB
//	make bench TICKETS=1000000     fewer
//	make bench ONLY=loop,pushes    some parts
//	make bench SHORT=1             one short round of each, to see that it runs
//
// It prints a table, and name=value lines for whoever compares runs. What the figures
// mean, what limits them and what was changed because of them stands in
// docs/performance.md.
//
// Reading order: main.go (the order and the report), intake.go (also latency, memory,
// replicas), rivals.go (pgbench and the bare SDK), loop.go, pushes.go, growth.go (also
// the digest), steps.go, profile.go.
//
// What must never come in: goals. A figure is printed as it was measured; whether it is
// good enough is for readers.
package main
