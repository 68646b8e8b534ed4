// Goroutines, files, commands, an HTTP server, signals, timers, a recovered fault, the collector.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"
)

func main() {
	fmt.Println(runtime.GOOS, runtime.NumCPU() > 0, len(os.Args))
	var wait sync.WaitGroup
	var mutex sync.Mutex
	total := 0
	for i := 0; i < 100; i++ {
		wait.Add(1)
		go func(n int) { defer wait.Done(); mutex.Lock(); total += n; mutex.Unlock() }(i)
	}
	wait.Wait()
	fmt.Println(total)
	os.MkdirAll("d/e", 0755)
	os.WriteFile("d/e/f", bytes.Repeat([]byte("x"), 100000), 0644)
	info, _ := os.Stat("d/e/f")
	fmt.Println(info.Size(), info.Mode())
	output, err := exec.Command("echo", "from a command").Output()
	fmt.Print(string(output))
	fmt.Println(err)
	fmt.Println(exec.Command("sh", "-c", "exit 4").Run())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) }))
	answers := []string{}
	for _, path := range []string{"/a", "/b"} {
		r, err := http.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		body, _ := io.ReadAll(r.Body)
		answers = append(answers, string(body))
	}
	sort.Strings(answers)
	fmt.Println(answers)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-signals)
	select {
	case <-time.After(20 * time.Millisecond):
		fmt.Println("timer")
	}
	func() { defer func() { fmt.Println(recover()) }(); var pointer *int; *pointer = 1 }()
	for i := 0; i < 50; i++ {
		_ = make([]byte, 1<<20)
		if i%10 == 0 {
			runtime.GC()
		}
	}
	start := time.Now()
	done := make(chan bool)
	go func() {
		for time.Since(start) < 30*time.Millisecond {
		}
		done <- true
	}()
	<-done
	fmt.Println("done")
	os.Exit(6)
}
