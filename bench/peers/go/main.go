// A gRPC facade of the iGPT HTTP API: igpt.v1.RecallService, as a good engineer would write it in an afternoon.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc"

	igptv1 "github.com/igptd/igptd/sdk/grpc/go/igpt/v1"
)

// How long calls may go on after SIGTERM.
const drainTimeout = 30 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:50051", "serve gRPC on this `address`; port 0 picks one")
	portFile := flag.String("port_file", "", "write the port to this `file`")
	baseURL := flag.String("base_url", "https://api.igpt.ai/v1", "`URL` of the iGPT API")
	caFile := flag.String("ca_file", "", "trust the certificates of this PEM `file` instead of the system's")
	flag.Parse()
	if err := run(*listen, *portFile, *baseURL, *caFile); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(listen, portFile, baseURL, caFile string) error {
	igpt, err := newClient(baseURL, os.Getenv("IGPT_API_KEY"), caFile)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if portFile != "" {
		if err := writePort(portFile, listener.Addr().(*net.TCPAddr).Port); err != nil {
			return err
		}
	}

	server := grpc.NewServer()
	igptv1.RegisterRecallServiceServer(server, &recallServer{igpt: igpt})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-served:
		return err
	case <-signals:
	}
	// Stop ends the remaining calls, and so GracefulStop.
	late := time.AfterFunc(drainTimeout, server.Stop)
	defer late.Stop()
	server.GracefulStop()
	return <-served
}

// writePort writes the file in one step, so that nobody reads half of it.
func writePort(path string, port int) error {
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, []byte(strconv.Itoa(port)+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
