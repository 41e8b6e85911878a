use super::{document::Document, *};

fn policy(text: &str) -> Policy {
    Document::parse(text).unwrap()
}

fn limits(policy: &Policy, peer: &str, asked: &[(Limit, u64)]) -> Result<Limits, OverCeiling> {
    policy.limits_for(&peer.parse().unwrap(), &asked.iter().copied().collect())
}

const SITE: &str = r#"
[defaults]
time = 60
memory = "512 MiB"

[ceilings]
time = 600
memory = "2 GiB"
output_files = 100

[peers."Ann@uni.example"]
defaults.time = 120
ceilings = { time = 3600 }

[peers."*@uni.example"]
ceilings.memory = "256M"
"#;

#[test]
fn without_a_policy_the_program_decides() {
    assert_eq!(limits(&Policy::default(), "a@x.org", &[]), Ok(Limits::default()));
    let over = limits(&Policy::default(), "a@x.org", &[(Limit::Memory, 8 << 30)]).unwrap_err();
    assert_eq!(over.to_string(), "memory: 8 GiB is more than the 4 GiB that any job can have; ask for less");
}

#[test]
fn what_is_nearest_to_the_peer_counts() {
    let policy = policy(SITE);
    let of = |peer: &str, limit: Limit| limits(&policy, peer, &[]).unwrap().get(limit);
    assert_eq!((of("a@x.org", Limit::Time), of("a@x.org", Limit::Memory)), (60_000, 512 << 20));
    assert_eq!(of("a@x.org", Limit::OutputFiles), 100, "the program's default is above the ceiling");
    assert_eq!(of("a@x.org", Limit::LogBytes), Limits::default().log_bytes_per_stream);
    assert_eq!(of("bob@uni.example", Limit::Memory), 256 << 20, "the site's default is above the ceiling");
    assert_eq!(of("ann@UNI.example", Limit::Time), 120_000);
    assert_eq!(of("ann@uni.example", Limit::Memory), 512 << 20, "the domain's rules aren't hers");
}

#[test]
fn no_option_goes_past_a_ceiling() {
    let policy = policy(SITE);
    assert_eq!(limits(&policy, "a@x.org", &[(Limit::Time, 600_000)]).unwrap().get(Limit::Time), 600_000);
    let over = limits(&policy, "a@x.org", &[(Limit::Time, 600_001)]).unwrap_err();
    assert_eq!((over.limit, over.asked, over.ceiling), (Limit::Time, 600_001, 600_000));
    limits(&policy, "ann@uni.example", &[(Limit::Time, 3_600_000)]).unwrap();
    limits(&policy, "bob@uni.example", &[(Limit::Memory, 1 << 30)]).unwrap_err();
    policy.check(&[(Limit::Time, 3_600_000)].into()).unwrap();
    policy.check(&[(Limit::Time, 3_600_001)].into()).unwrap_err();
}

#[test]
fn what_is_not_understood_is_named() {
    for (text, word) in [
        ("[ceilings]\nmemroy = \"1G\"", "memroy"),
        ("[ceiling]\nmemory = \"1G\"", "ceiling"),
        ("[ceilings]\nmemory = 0", "memory"),
        ("[ceilings]\nmemory = \"5G\"", "4 GiB"),
        ("[ceilings]\nmemory = -1", "-1"),
        ("[defaults]\ntime = \"5 minutes\"", "seconds"),
        ("[defaults]\ntime = 18446744073709551", "seconds"),
        ("[defaults]\noutput_files = \"1G\"", "output files"),
        ("[peers.ann.defaults]\ntime = 1", "ann"),
        ("[peers.\"*uni.example\".defaults]\ntime = 1", "*uni"),
        ("[peers.\"a@x.org\".defaults]\ntime = false", "a@x.org"),
        ("[defaults", "defaults"),
    ] {
        let error = Document::parse(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
}
