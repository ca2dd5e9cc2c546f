//! L4 and L5: TLS, and who may call.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use jianbao::grpc::health_pb::HealthCheckRequest;
use jianbao::grpc::health_pb::health_client::HealthClient;
use jianbao::grpc::pb::extract_report_service_client::ExtractReportServiceClient;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256};
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use super::life::Program;
use super::operate::{ADMIN, audited, counted, metrics};
use super::{hex, pb, request};
use crate::folder::Folder;

/// One who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, as PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn signs(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    fn certifies(&self, name: &str) -> Pair {
        self.signs(name, |_| {})
    }
}

fn expired(params: &mut CertificateParams) {
    (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
}

/// A connection over TLS to a server that should be called `name`.
async fn connect(program: &Program, authority: &Authority, name: &str, identity: Option<&Pair>) -> Result<Channel, String> {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&authority.pem)).domain_name(name);
    let tls = identity.into_iter().fold(tls, |tls, pair| tls.identity(Identity::from_pem(&pair.certificate, &pair.key)));
    let endpoint = Endpoint::from_shared(format!("https://{}", program.address)).unwrap().tls_config(tls).unwrap();
    endpoint.connect().await.map_err(|error| format!("{error:?}"))
}

async fn ask(channel: Channel) -> Result<(), Status> {
    ExtractReportServiceClient::new(channel).extract_report(request("a", "清河农商银行发放贷款3亿元。")).await.map(drop)
}

/// Whether a call succeeds on a new connection. With TLS 1.3 the refusal of a client's certificate comes after the handshake.
async fn reaches(program: &Program, authority: &Authority, name: &str, identity: Option<&Pair>) -> bool {
    match connect(program, authority, name, identity).await {
        Ok(channel) => ask(channel).await.is_ok(),
        Err(_) => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l4_the_server_speaks_tls_alone_and_callers_can_tell_that_it_is_the_right_one() {
    let folder = Folder::new("tls");
    let (authority, other) = (Authority::new(), Authority::new());
    let serve = |pair: &Pair| {
        let (certificate, key) = (folder.file("tls.crt", &pair.certificate), folder.file("tls.key", &pair.key));
        Program::start(&[ADMIN, &["--tls-certificate", &certificate, "--tls-key", &key]].concat())
    };
    let program = serve(&authority.certifies("jianbao.test"));
    assert!(reaches(&program, &authority, "jianbao.test", None).await);
    assert!(!reaches(&program, &authority, "other.test", None).await, "another host's name");
    assert!(!reaches(&program, &other, "jianbao.test", None).await, "another authority");
    let plain = Endpoint::from_shared(format!("http://{}", program.address)).unwrap().connect().await;
    let answered = match plain {
        Ok(channel) => ask(channel).await.is_ok(),
        Err(_) => false,
    };
    assert!(!answered, "plain text is not answered");
    counted(&program, "jianbao_connections_accepted_total{outcome=\"served\"} 1").await;
    let admin = Endpoint::from_shared(format!("http://{}", program.admin.as_ref().unwrap())).unwrap().connect().await.unwrap();
    HealthClient::new(admin).check(HealthCheckRequest::default()).await.expect("the probe is asked in plain text");
    let program = serve(&authority.signs("jianbao.test", expired));
    assert!(!reaches(&program, &authority, "jianbao.test", None).await, "an expired certificate");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l4_certificates_are_rotated_under_load_without_a_failed_call() {
    let folder = Folder::new("rotate");
    let (first, second) = (Authority::new(), Authority::new());
    let put = |pair: &Pair| (folder.file("tls.crt", &pair.certificate), folder.file("tls.key", &pair.key));
    let (certificate, key) = put(&first.certifies("jianbao.test"));
    let arguments = ["--tls-certificate", &certificate, "--tls-key", &key, "--reload-interval", "50ms"];
    let program = Program::start(&[ADMIN, &arguments].concat());
    let kept = connect(&program, &first, "jianbao.test", None).await.unwrap();
    assert!(!reaches(&program, &second, "jianbao.test", None).await);
    let (over, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (channel, over, calls) = (kept.clone(), Arc::clone(&over), Arc::clone(&calls));
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    ask(channel.clone()).await.expect("no call fails");
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    put(&second.certifies("jianbao.test"));
    counted(&program, "jianbao_reloads_total{what=\"tls\",outcome=\"done\"} 1").await;
    assert!(reaches(&program, &second, "jianbao.test", None).await, "new connections see the new certificate");
    assert!(!reaches(&program, &first, "jianbao.test", None).await);
    // A certificate without its key leaves the last good pair in force.
    folder.file("tls.key", "no key");
    counted(&program, "jianbao_reloads_total{what=\"tls\",outcome=\"failed\"} 1").await;
    assert!(reaches(&program, &second, "jianbao.test", None).await);
    let line = program.logged.iter().find(|line| line.contains("certificates not reloaded")).unwrap();
    assert!(line.contains("tls.key: holds no private key") && line.contains("the last good ones stay in force"), "{line}");
    // However slow the machine is: the load goes on until enough calls have shown it.
    while calls.load(Ordering::SeqCst) <= 20 {
        ask(kept.clone()).await.unwrap();
    }
    let before = calls.load(Ordering::SeqCst);
    ask(kept).await.unwrap();
    over.store(true, Ordering::SeqCst);
    for one in load {
        one.await.expect("no call failed");
    }
    assert!(before > 20, "{before} calls on the connection that was there from the start");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l4_callers_show_certificates_of_an_authority_that_is_trusted_now() {
    let folder = Folder::new("mutual");
    let (authority, callers, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let pair = authority.certifies("jianbao.test");
    let (certificate, key) = (folder.file("tls.crt", &pair.certificate), folder.file("tls.key", &pair.key));
    let trusted = folder.file("callers.pem", &callers.pem);
    let arguments = ["--tls-certificate", &certificate, "--tls-key", &key, "--tls-client-authorities", &trusted];
    let program = Program::start(&[ADMIN, &arguments, &["--reload-interval", "50ms"]].concat());
    let good = callers.certifies("platform.test");
    assert!(reaches(&program, &authority, "jianbao.test", Some(&good)).await);
    let kept = connect(&program, &authority, "jianbao.test", Some(&good)).await.unwrap();
    assert!(ask(kept.clone()).await.is_ok());
    assert!(!reaches(&program, &authority, "jianbao.test", None).await, "none");
    assert!(!reaches(&program, &authority, "jianbao.test", Some(&strangers.certifies("platform.test"))).await, "a stranger's");
    assert!(!reaches(&program, &authority, "jianbao.test", Some(&callers.signs("platform.test", expired))).await, "an expired one");
    folder.file("callers.pem", &strangers.pem);
    counted(&program, "jianbao_reloads_total{what=\"tls\",outcome=\"done\"} 1").await;
    assert!(!reaches(&program, &authority, "jianbao.test", Some(&good)).await, "its authority was taken out");
    // F15: nor is a connection good that was made before.
    let begun = std::time::Instant::now();
    while ask(kept.clone()).await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "the connection is closed");
    }
}

#[test]
fn l4_everything_that_is_wrong_with_the_files_is_told_before_a_port_is_bound() {
    let folder = Folder::new("wrong");
    let (one, two) = (Authority::new().certifies("a.test"), Authority::new().certifies("b.test"));
    let certificate = folder.file("tls.crt", &one.certificate);
    let key = folder.file("tls.key", &two.key);
    let cases: &[(&[&str], &str)] = &[
        (&["--tls-certificate", &certificate], "--tls-certificate: is of no use without tls-key"),
        (&["--tls-certificate", &certificate, "--tls-key", "nowhere.key"], "nowhere.key: cannot be read"),
        (&["--tls-certificate", &key, "--tls-key", &key], "holds no certificate"),
        (&["--tls-certificate", &certificate, "--tls-key", &key], "tls.crt: "),
        (&["--tls-client-authorities", &certificate], "--tls-client-authorities: is of no use without tls-certificate"),
        (&["--callers", &certificate], "the callers cannot be used"),
    ];
    for (arguments, told) in cases {
        let output =
            Command::new(env!("CARGO_BIN_EXE_jianbao")).args(["serve", "--listen", "127.0.0.1:0"]).args(*arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{arguments:?}: {said}");
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l5_an_address_that_others_reach_is_not_served_to_everybody_unless_said_outright() {
    let output = Command::new(env!("CARGO_BIN_EXE_jianbao")).args(["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--listen: ") && said.contains("allow-anonymous"), "{said}");
    let program = Program::start_on("0.0.0.0:0", &["--allow-anonymous", "on"]);
    let port = program.address.rsplit(':').next().unwrap();
    ask(Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().connect().await.unwrap()).await.unwrap();
}

fn bearer(token: &str) -> Request<pb::ExtractReportRequest> {
    let mut call = Request::new(request("a", "清河农商银行发放贷款3亿元。"));
    call.metadata_mut().insert("authorization", MetadataValue::try_from(format!("Bearer {token}")).unwrap());
    call
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l5_callers_are_known_by_tokens_and_may_call_what_is_allowed_to_them() {
    let folder = Folder::new("tokens");
    let row =
        |name: &str, rest: &str| format!("[[caller]]\nname = \"{name}\"\ntoken_sha256 = [\"{}\"]\n{rest}\n", hash(&format!("{name}-key")));
    let callers = folder.file("callers.toml", &[row("platform", ""), row("archive", "methods = [\"BulkExtractReports\"]\n")].concat());
    let program = Program::start(&[ADMIN, &["--callers", &callers, "--reload-interval", "50ms"]].concat());
    let mut client = program.client().await;
    client.extract_report(bearer("platform-key")).await.unwrap();
    assert_eq!(audited(&program)["caller"], "platform");
    let mut refusals = Vec::new();
    refusals.push(client.extract_report(request("a", "x")).await.unwrap_err());
    for token in ["", "platform", "platform-key ", "Platform-key", &"x".repeat(9_000), "a.b.c"] {
        if token != "platform-key " {
            refusals.push(client.extract_report(bearer(token)).await.unwrap_err());
        }
    }
    for status in &refusals {
        assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "the call has no valid credentials"));
        assert_eq!(status.get_details_error_info().unwrap().reason, "UNAUTHENTICATED");
    }
    counted(&program, "jianbao_denied_total{reason=\"missing\"} 1").await;
    counted(&program, "jianbao_denied_total{reason=\"unknown_token\"} 5").await;
    let status = client.extract_report(bearer("archive-key")).await.unwrap_err();
    assert_eq!((status.code(), status.get_details_error_info().unwrap().reason.as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"));
    let mut stream = Request::new(tokio_stream::iter([request("a", "x")]));
    stream.metadata_mut().insert("authorization", "Bearer archive-key".parse().unwrap());
    let mut answers = client.bulk_extract_reports(stream).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some());
    let reflection = tonic_reflection::pb::v1::ServerReflectionRequest::default();
    let mut reflections = tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient::new(plain(&program).await);
    let status = reflections.server_reflection_info(tokio_stream::iter([reflection])).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "reflection is not for everybody");
    HealthClient::new(plain(&program).await).check(HealthCheckRequest::default()).await.expect("health is");
    // A caller that is taken out is refused on the connection that it has.
    folder.file("callers.toml", &row("archive", ""));
    counted(&program, "jianbao_reloads_total{what=\"access\",outcome=\"done\"} 1").await;
    assert_eq!(client.extract_report(bearer("platform-key")).await.unwrap_err().code(), Code::Unauthenticated);
    client.extract_report(bearer("archive-key")).await.expect("the new file allows it");
    assert!(!metrics(&program).contains("archive-key"));
}

async fn plain(program: &Program) -> Channel {
    Endpoint::from_shared(format!("http://{}", program.address)).unwrap().connect().await.unwrap()
}

/// A signer of tokens, with its key as a JWKS knows it.
struct TokenIssuer {
    key: EcdsaKeyPair,
    random: ring::rand::SystemRandom,
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |chunk: &[u8]| {
        let bits = chunk.iter().enumerate().fold(0_u32, |bits, (n, byte)| bits | u32::from(*byte) << (16 - 8 * n));
        (0..=chunk.len()).map(move |n| char::from(DIGITS[(bits >> (18 - 6 * n) & 63) as usize])).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

impl TokenIssuer {
    fn new() -> Self {
        let random = ring::rand::SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Self { key, random }
    }

    fn jwks(&self) -> String {
        let point = self.key.public_key().as_ref();
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
        serde_json::json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k1", "x": x, "y": y}]}).to_string()
    }

    fn token(&self, header: &serde_json::Value, claims: &serde_json::Value) -> String {
        let signed = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let signature = self.key.sign(&self.random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64url(signature.as_ref()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l5_tokens_of_an_issuer_are_good_for_their_time_audience_and_subject() {
    let folder = Folder::new("jwt");
    let (issuer, other) = (TokenIssuer::new(), TokenIssuer::new());
    folder.file("keys.json", &issuer.jwks());
    let text = "[jwt]\nissuer = \"https://id.test\"\naudience = \"jianbao\"\nkeys = \"keys.json\"\n\n[[caller]]\nname = \"platform\"\nsubject = [\"platform-7\"]\n";
    let callers = folder.file("callers.toml", text);
    let program = Program::start(&[ADMIN, &["--callers", &callers, "--reload-interval", "50ms"]].concat());
    let mut client = program.client().await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let header = serde_json::json!({"alg": "ES256", "kid": "k1", "typ": "JWT"});
    let claims = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut claims = serde_json::json!({"iss": "https://id.test", "aud": "jianbao", "sub": "platform-7", "exp": now + 60});
        change(&mut claims);
        claims
    };
    let good = issuer.token(&header, &claims(&|_| {}));
    client.extract_report(bearer(&good)).await.unwrap();
    assert_eq!(audited(&program)["caller"], "platform");
    let bad: Vec<(&str, String)> = vec![
        ("expired", issuer.token(&header, &claims(&|c| c["exp"] = (now - 90).into()))),
        ("not_yet_valid", issuer.token(&header, &claims(&|c| c["nbf"] = (now + 90).into()))),
        ("other_issuer", issuer.token(&header, &claims(&|c| c["iss"] = "https://other.test".into()))),
        ("other_audience", issuer.token(&header, &claims(&|c| c["aud"] = "other".into()))),
        ("unknown_subject", issuer.token(&header, &claims(&|c| c["sub"] = "platform-8".into()))),
        ("bad_signature", other.token(&header, &claims(&|_| {}))),
        ("unknown_key", issuer.token(&serde_json::json!({"alg": "ES256", "kid": "k2"}), &claims(&|_| {}))),
        ("malformed", issuer.token(&header, &claims(&|c| drop(c.as_object_mut().unwrap().remove("exp"))))),
        ("malformed", issuer.token(&header, &claims(&|c| c["exp"] = "never".into()))),
        ("malformed", issuer.token(&serde_json::json!({"alg": "none", "kid": "k1"}), &claims(&|_| {}))),
        ("malformed", issuer.token(&serde_json::json!({"alg": "HS256", "kid": "k1"}), &claims(&|_| {}))),
    ];
    for (_, token) in &bad {
        let status = client.extract_report(bearer(token)).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "the call has no valid credentials"));
    }
    for cause in ["expired", "not_yet_valid", "other_issuer", "other_audience", "unknown_subject", "bad_signature", "unknown_key"] {
        counted(&program, &format!("jianbao_denied_total{{reason=\"{cause}\"}} 1")).await;
    }
    counted(&program, "jianbao_denied_total{reason=\"malformed\"} 4").await;
    folder.file("keys.json", &other.jwks());
    counted(&program, "jianbao_reloads_total{what=\"access\",outcome=\"done\"} 1").await;
    assert_eq!(client.extract_report(bearer(&good)).await.unwrap_err().code(), Code::Unauthenticated, "its key was taken out");
    client.extract_report(bearer(&other.token(&header, &claims(&|_| {})))).await.expect("the new key is known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l5_callers_are_known_by_the_names_in_their_certificates() {
    let folder = Folder::new("names");
    let (authority, trusted) = (Authority::new(), Authority::new());
    let pair = authority.certifies("jianbao.test");
    let (certificate, key) = (folder.file("tls.crt", &pair.certificate), folder.file("tls.key", &pair.key));
    let authorities = folder.file("callers.pem", &trusted.pem);
    let callers = folder.file("callers.toml", "[[caller]]\nname = \"platform\"\ncertificate = [\"platform.test\"]\n");
    let tls = ["--tls-certificate", &certificate, "--tls-key", &key, "--tls-client-authorities", &authorities];
    let program = Program::start(&[&tls[..], &["--tls-client-certificate", "optional", "--callers", &callers]].concat());
    let code = async |identity: Option<&Pair>| {
        let channel = connect(&program, &authority, "jianbao.test", identity).await.unwrap();
        ask(channel).await.map_or_else(|status| status.code(), |()| Code::Ok)
    };
    assert_eq!(code(Some(&trusted.certifies("platform.test"))).await, Code::Ok);
    assert_eq!(audited(&program)["caller"], "platform");
    assert_eq!(code(Some(&trusted.certifies("other.test"))).await, Code::Unauthenticated);
    assert_eq!(code(None).await, Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l5_a_caller_is_held_to_its_rate_and_its_calls_in_flight() {
    let folder = Folder::new("limits");
    let row = format!("[[caller]]\nname = \"platform\"\ntoken_sha256 = [\"{}\"]\n", hash("key"));
    let limits = "bulletins_per_second = 20\nburst = 5\nconcurrent_calls = 2\n";
    let callers = folder.file("callers.toml", &[row.as_str(), limits].concat());
    let program = Program::start(&["--callers", &callers]);
    let mut client = program.client().await;
    let mut refused = None;
    for _ in 0..10 {
        if let Err(status) = client.extract_report(bearer("key")).await {
            refused = Some(status);
        }
    }
    let status = refused.expect("ten at once are more than five and twenty a second");
    assert_eq!((status.code(), status.get_details_error_info().unwrap().reason.as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(wait <= Duration::from_millis(50), "{wait:?}");
    // A stream is slowed down, and not refused.
    let authorized = |count: usize| {
        let mut stream = Request::new(tokio_stream::iter((0..count).map(|n| request(&n.to_string(), "x"))));
        stream.metadata_mut().insert("authorization", "Bearer key".parse().unwrap());
        stream
    };
    let begun = Instant::now();
    let mut answers = client.bulk_extract_reports(authorized(25)).await.unwrap().into_inner();
    let mut count = 0;
    while answers.message().await.unwrap().is_some() {
        count += 1;
    }
    assert!(count == 25 && begun.elapsed() > Duration::from_millis(900), "{count} in {:?}", begun.elapsed());
    let waiting = |client: &mut ExtractReportServiceClient<Channel>| {
        let (mut client, mut stream) = (client.clone(), Request::new(tokio_stream::pending::<pb::ExtractReportRequest>()));
        stream.metadata_mut().insert("authorization", "Bearer key".parse().unwrap());
        async move { client.bulk_extract_reports(stream).await }
    };
    let held = (waiting(&mut client).await.unwrap(), waiting(&mut client).await.unwrap());
    let status = client.extract_report(bearer("key")).await.unwrap_err();
    assert_eq!(status.get_details_error_info().unwrap().reason, "CALLER_LIMIT");
    drop(held);
}
