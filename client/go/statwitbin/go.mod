module github.com/statwit/statwit/client/go/statwitbin

go 1.21

require github.com/statwit/statwit/client/go v0.1.0

replace github.com/statwit/statwit/client/go => ../
