// Command gin protects a route of gin.
package main

import (
	"context"
	"log"

	"github.com/gin-gonic/gin"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/ginauth"
	"github.com/bearward/bearward/middleware"
)

func main() {
	guard, err := bearward.New(context.Background(), bearward.Config{
		Resource: "https://api.example.com", Issuers: []bearward.Issuer{{URL: "https://login.example.com"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	router, orders := gin.New(), func(c *gin.Context) { c.String(200, "tea, honey\n") }
	router.GET("/orders", ginauth.Protect(guard, middleware.Scopes("orders:read")), orders)
	log.Fatal(router.Run("127.0.0.1:8080"))
}
