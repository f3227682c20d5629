// Command grpc protects the methods of a gRPC service.
package main

import (
	"context"
	"log"
	"net"

	"google.golang.org/grpc"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/middleware"
)

func main() {
	guard, err := bearward.New(context.Background(), bearward.Config{Resource: "https://api.example.com", Issuers: []bearward.Issuer{{URL: "https://login.example.com"}}})
	listener, errListen := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil || errListen != nil {
		log.Fatalln("guard:", err, "listener:", errListen)
	}
	methods := grpcauth.Methods{"/orders.v1.Orders/*": middleware.Scopes("orders:read")}
	server := grpc.NewServer(grpcauth.ServerOptions(guard, methods)...)
	// Register your services here.
	log.Fatal(server.Serve(listener))
}
