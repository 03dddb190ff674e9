module github.com/hawser-storage/hawser

go 1.26
