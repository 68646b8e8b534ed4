//! Threads, files, commands, a socket, channels, a panic.
use std::{
    fs,
    io::{Read, Write},
    net, process,
    sync::{mpsc, Arc, Mutex},
    thread,
    time::Duration,
};
fn main() {
    println!("{} {}", std::env::consts::OS, std::env::args().count());
    let total = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let total = total.clone();
            thread::spawn(move || {
                for _ in 0..100 {
                    *total.lock().unwrap() += n;
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    println!("{}", total.lock().unwrap());
    fs::create_dir_all("d/e").unwrap();
    fs::write("d/e/f", "x".repeat(100_000)).unwrap();
    println!(
        "{} {:?}",
        fs::metadata("d/e/f").unwrap().len(),
        fs::File::open("missing").unwrap_err().kind()
    );
    let output = process::Command::new("echo")
        .arg("from a command")
        .output()
        .unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    println!(
        "{:?}",
        process::Command::new("sh")
            .args(["-c", "exit 4"])
            .status()
            .unwrap()
            .code()
    );
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = thread::spawn(move || {
        net::TcpStream::connect(address)
            .unwrap()
            .write_all(b"tcp")
            .unwrap()
    });
    let mut text = String::new();
    listener
        .accept()
        .unwrap()
        .0
        .read_to_string(&mut text)
        .unwrap();
    client.join().unwrap();
    println!("{text}");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for n in 0..5 {
            sender.send(n).unwrap();
        }
    });
    println!("{}", receiver.iter().sum::<i32>());
    thread::sleep(Duration::from_millis(20));
    println!(
        "{}",
        thread::spawn(|| {
            if true {
                panic!("on purpose")
            }
        })
        .join()
        .is_err()
    );
    process::exit(6);
}
