use tokio::net::TcpStream;

use super::*;

#[tokio::test]
async fn nobody_connects_before_it_listens_and_nobody_else_listens_after() {
    let reserved = Reserved::take("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = reserved.0.local_addr().unwrap();
    let early = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(early.kind(), io::ErrorKind::ConnectionRefused);
    let listener = reserved.listen().unwrap();
    TcpStream::connect(address).await.unwrap();
    let second = Reserved::take(address).unwrap_err();
    assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
    drop(listener);
}
