module github.com/statwit/statwit/client/go/tests

go 1.22

require (
	github.com/DataDog/datadog-go/v5 v5.9.1
	github.com/statwit/statwit/client/go v0.1.0
	github.com/statwit/statwit/client/go/statwitbin v0.1.0
)

require (
	github.com/Microsoft/go-winio v0.5.0 // indirect
	golang.org/x/sys v0.0.0-20210510120138-977fb7262007 // indirect
)

replace (
	github.com/statwit/statwit/client/go => ../
	github.com/statwit/statwit/client/go/statwitbin => ../statwitbin
)
