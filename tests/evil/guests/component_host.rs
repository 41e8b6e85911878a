// tries: reach the machine as a component: files, environment, network, processes
// expect: finished
// says: 9 refused
// hides: CARGO
use std::{env, fs, net, process, thread};

fn main() {
    let world = env::args().nth(1).unwrap();
    let port: u16 = env::args().nth(2).unwrap().parse().unwrap();
    println!("{:?}", env::vars().collect::<Vec<_>>());
    let mut refused = 0;
    for (what, got) in [
        ("token", fs::read(format!("{world}/token.json")).is_ok()),
        ("passwd", fs::read("/etc/passwd").is_ok()),
        ("climb", fs::read_dir("../..").is_ok()),
        ("other dataset", fs::read_dir("/syftbox/do@test.org/private/syft_datasets/other").is_ok()),
        ("connect", net::TcpStream::connect(("127.0.0.1", port)).is_ok()),
        ("listen", net::TcpListener::bind("127.0.0.1:0").is_ok()),
        (
            "datagram",
            net::UdpSocket::bind("0.0.0.0:0").is_ok_and(|s| s.send_to(b"x", ("127.0.0.1", port)).is_ok()),
        ),
        ("process", process::Command::new("/bin/true").spawn().is_ok()),
        ("thread", thread::Builder::new().spawn(|| ()).is_ok()),
    ] {
        if got { println!("GOTCHA {what}") } else { refused += 1 }
    }
    println!("{refused} refused");
}
