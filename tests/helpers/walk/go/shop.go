// Package shop is the application of the walk.
package shop

import "github.com/DataDog/datadog-go/v5/statsd"

// Login counts who could not come in.
func Login(client *statsd.Client, name string) {
	instance := "success"
	if name == "nobody" {
		instance = "failure"
	}
	_ = client.Incr("login.attempt", []string{"instance:" + instance}, 1)
}
