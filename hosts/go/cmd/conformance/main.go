// Conformance is the driver of the Go host: one command a line in, one reply a line out.
package main

import (
	"encoding/json"
	"io"
	"log"
	"os"

	"github.com/wasm-proactor/wasm-proactor/hosts/go/internal/conformance"
)

func main() {
	var driver conformance.Driver
	commands, replies := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	replies.SetEscapeHTML(false)
	for {
		var command conformance.Command
		if err := commands.Decode(&command); err == io.EOF {
			return
		} else if err != nil {
			log.Fatalf("this is no command: %v", err)
		}
		if err := replies.Encode(driver.Perform(command)); err != nil {
			log.Fatal(err)
		}
	}
}
