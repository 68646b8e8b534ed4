import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Files, threads, a process, a socket, a null pointer (a SIGSEGV to the JVM), garbage. */
public class Main {
    public static void main(String[] arguments) throws Exception {
        System.out.println(System.getProperty("os.name") + " " + arguments.length);
        files();
        threads();
        process();
        socket();
        try {
            int[] none = null;
            System.out.println(none[0]);
        } catch (NullPointerException expected) {
            System.out.println("null caught");
        }
        byte[][] garbage = new byte[64][];
        for (int i = 0; i < 2000; i++) {
            garbage[i % 64] = new byte[100_000];
        }
        System.gc();
        System.out.println("collected");
        Thread.sleep(20);
        System.exit(3);
    }

    private static void files() throws IOException {
        Path file = Files.createDirectories(Path.of("d/e")).resolve("f");
        Files.writeString(file, "text\n".repeat(1000));
        System.out.println(Files.size(file) + " " + Files.readAllLines(file).size());
    }

    private static void threads() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Integer>> results = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int n = i;
            results.add(pool.submit(() -> n * n));
        }
        int sum = 0;
        for (Future<Integer> result : results) {
            sum += result.get();
        }
        pool.shutdown();
        System.out.println(sum);
    }

    private static void process() throws Exception {
        Process process = new ProcessBuilder("echo", "from a process").start();
        System.out.print(new String(process.getInputStream().readAllBytes()));
        System.out.println(process.waitFor());
    }

    private static void socket() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread client = new Thread(() -> send(server));
            client.start();
            try (Socket socket = server.accept()) {
                InputStreamReader stream = new InputStreamReader(socket.getInputStream());
                System.out.println(new BufferedReader(stream).readLine());
            }
            client.join();
        }
    }

    private static void send(ServerSocket server) {
        try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
            socket.getOutputStream().write("tcp\n".getBytes());
        } catch (IOException error) {
            System.out.println(error);
        }
    }
}
