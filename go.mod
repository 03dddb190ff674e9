module github.com/hawser-storage/hawser

go 1.26.0

require (
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.48.0
)

require (
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/pojntfx/go-nbd v0.3.2
)
