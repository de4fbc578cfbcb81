module github.com/statwit/statwit/client/go

go 1.21
