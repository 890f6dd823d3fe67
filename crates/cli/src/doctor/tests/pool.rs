use super::*;

/// It would be the admission of another node than the agent's.
#[test]
fn without_a_node_nothing_is_said_about_its_admission() {
    let mut facts = well();
    facts.node = Err(NodeMissing::Error(CliError { message: "several nodes".to_owned(), hint: String::new() }));
    for admission in [Admission::Allowed, Admission::MembersOnly] {
        reply(&mut facts).admission = admission;
        let findings = evaluate(&facts);
        assert!(!findings.iter().any(|finding| finding.check == "admission"), "{findings:?}");
    }
}

/// A pool that answers a signed request as an unsigned one.
#[test]
fn a_key_that_was_passed_is_not_asked_for() {
    let mut facts = well();
    reply(&mut facts).admission = Admission::MembersOnly;
    let findings = evaluate(&facts);
    let found = findings.iter().find(|finding| finding.check == "admission").unwrap();
    assert_eq!(found.verdict, Verdict::Warning);
    assert!(!found.hint.contains("--nodekey"), "{}", found.hint);
}

#[test]
fn over_protocol_2_what_only_a_signed_request_shows_is_skipped() {
    let mut facts = well();
    facts.wants.agent.protocol2 = Some(Protocol2Config { update_interval_ms: 60_000 });
    for admission in [Admission::Allowed, Admission::MembersOnly] {
        reply(&mut facts).admission = admission;
        assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "admission" && ill.verdict == Verdict::Skipped));
    }
    refused(&mut facts, ErrorCode::Unsuitable);
    assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "admission" && ill.verdict == Verdict::Error));
}

#[test]
fn only_a_client_needs_other_hosts_on_its_chain() {
    let mut facts = well();
    no_hosts(&mut facts);
    for (slots, verdict) in [(10, Verdict::Warning), (0, Verdict::Error)] {
        facts.wants.agent.host = Some(host(slots));
        assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "partners" && ill.verdict == verdict));
    }
    (facts.wants.client, facts.wants.agent.host) = (false, Some(host(10)));
    assert_eq!(ills(&facts), []);
}

#[test]
fn a_pool_without_an_id_is_missed_beyond_this_machine_only() {
    for (pin, verdicts) in [(PinFound::Never, &[][..]), (PinFound::None, &[Verdict::Skipped])] {
        let mut facts = well();
        let pool = facts.pool.as_mut().unwrap().as_mut().unwrap();
        pool.reached.pool_id = None;
        pool.pin = pin;
        let found: Vec<_> = ills(&facts).into_iter().map(|finding| finding.verdict).collect();
        assert_eq!(found, verdicts, "{pin:?}");
    }
}

/// Over HTTP, a pool can prove it only in a response to something that is signed.
#[test]
fn a_pool_over_https_is_not_one_without_an_id() {
    let mut facts = well();
    let pool = facts.pool.as_mut().unwrap().as_mut().unwrap();
    (pool.reached.pool_id, pool.pin, pool.url) = (None, PinFound::Same, "https://p/".to_owned());
    let ills = ills(&facts);
    assert!(matches!(&ills[..], [ill] if ill.verdict == Verdict::Skipped && ill.text.contains("an agent that joins")));
}

#[test]
fn a_pool_on_this_machine_leads_to_no_flag_for_a_loopback_address() {
    let mut facts = well();
    (reply(&mut facts).address, reply(&mut facts).port) = ([127, 0, 0, 1].into(), Some(Reach::Refused));
    let ills = ills(&facts);
    assert!(!ills.is_empty() && ills.iter().all(|ill| !ill.hint.contains("extip")), "{ills:?}");
    assert!(ills.iter().any(|ill| ill.hint.contains("listens on TCP port 30303")), "{ills:?}");
}

#[test]
fn each_problem_of_the_pool_has_its_hint() {
    finds(&[
        (|facts| facts.pool = Some(Err(fault())), "pool", Verdict::Error, "fix it"),
        (|facts| reply(facts).port = Some(Reach::Refused), "port", Verdict::Error, "ufw allow 30303"),
        (|facts| reply(facts).port = Some(Reach::Timeout), "port", Verdict::Error, "geth with --nat extip:8.8.4.4"),
        (client_refused, "port", Verdict::Warning, "ufw allow 30303"),
        (|facts| reply(facts).port = None, "port", Verdict::Error, "--enode enode://"),
        (|facts| reply(facts).address = [9, 9, 9, 9].into(), "address", Verdict::Warning, "--enode.host 9.9.9.9"),
        (|facts| reply(facts).time_ms = NOW.plus(6_000), "clock", Verdict::Warning, "set-ntp"),
        (|facts| reply(facts).time_ms = NOW.minus(301_000), "clock", Verdict::Error, "set-ntp"),
        (|facts| refused(facts, ErrorCode::NotMember), "admission", Verdict::Error, "run another"),
        (|facts| refused(facts, ErrorCode::Unsuitable), "admission", Verdict::Error, "run another"),
        (|facts| reply(facts).admission = Admission::MembersOnly, "admission", Verdict::Warning, "update the pool"),
        (no_hosts, "partners", Verdict::Warning, "genesis"),
        (
            |facts| (supply(facts).candidates, supply(facts).reason) = (0, Some("all 2 hosts are full".to_owned())),
            "partners",
            Verdict::Warning,
            "status --why",
        ),
        (|facts| reply(facts).port_error = Some(WireError::busy("no", 7)), "port", Verdict::Warning, "7 ms"),
        (|facts| reached(facts).reply = Err(WireError::busy("no", 7)), "admission", Verdict::Error, "7 ms"),
        (
            |facts| reached(facts).reply = Err(WireError::new(ErrorCode::MethodNotFound, "x", "")),
            "port",
            Verdict::Skipped,
            "",
        ),
    ]);
}

#[test]
fn without_a_node_the_pool_is_looked_at_all_the_same() {
    let mut facts = well();
    facts.node = Err(NodeMissing::Error(fault()));
    reply(&mut facts).admission = refusal(ErrorCode::NotMember);
    let ills: Vec<_> = ills(&facts).iter().map(|ill| ill.check).collect();
    assert_eq!(ills, ["node", "admission"]);
}

#[test]
fn a_price_above_the_maximum_is_no_price_that_works() {
    let mut facts = well();
    let shown = |facts: &Facts| evaluate(facts).into_iter().find(|finding| finding.check == "price").unwrap();
    assert_eq!(shown(&facts).text, "The pool does not charge for slots");
    supply(&mut facts).price = Price::per_minute(100);
    assert_eq!(shown(&facts).text, "A slot costs 100 wei/minute here");
    facts.wants.agent.max_price = "100 wei/minute".parse().ok();
    assert_eq!(ills(&facts), []);
    facts.wants.agent.max_price = "99 wei/minute".parse().ok();
    (supply(&mut facts).candidates, supply(&mut facts).reason) = (0, Some("a slot costs too much".to_owned()));
    for (slots, verdict) in [(10, Verdict::Warning), (0, Verdict::Error)] {
        facts.wants.agent.host = Some(host(slots));
        let ills = ills(&facts);
        assert!(matches!(&ills[..], [ill] if ill.check == "price" && ill.verdict == verdict), "{ills:?}");
        assert_eq!(ills[0].text, "A slot costs 100 wei/minute here, more than --max-price 99 wei/minute");
        assert_eq!(ills[0].hint, "Pass --max-price \"100 wei/minute\", or another pool");
    }
    facts.wants.client = false;
    assert_eq!(ills(&facts), [], "a host pays nothing");
}

fn supply(facts: &mut Facts) -> &mut HostSupply {
    reply(facts).supply.as_mut().unwrap()
}

fn no_hosts(facts: &mut Facts) {
    let none = HostSupply { hosts: 0, candidates: 0, reason: Some("no host here".to_owned()), ..supply(facts).clone() };
    reply(facts).supply = Some(none);
}

fn charging(facts: &mut Facts) {
    let terms = PaymentTerms { payment: PaymentMode::Credit, ..PaymentTerms::default() };
    let price = Price::per_minute(100);
    *supply(facts) = HostSupply { price, terms, ..supply(facts).clone() };
}

#[test]
fn a_pool_that_charges_needs_a_payer_for_a_client_and_a_payout_account_for_a_host() {
    let mut facts = well();
    charging(&mut facts);
    let unpaid =
        WireError::new(ErrorCode::PaymentRequired, "no account pays for this node", "Run `vipnode account link`.");
    supply(&mut facts).unpaid = Some(unpaid);
    let found = ills(&facts);
    assert_eq!(
        found.iter().map(|ill| (ill.check, ill.verdict)).collect::<Vec<_>>(),
        [("payment", Verdict::Warning), ("payout", Verdict::Warning),]
    );
    let hosts = |facts: &Facts| evaluate(facts).into_iter().find(|finding| finding.check == "partners").unwrap().text;
    assert!(hosts(&facts).ends_with("2 of 2 hosts on mainnet fit this node"), "{}", hosts(&facts));
    supply(&mut facts).candidates = 1;
    assert!(hosts(&facts).ends_with("1 of 2 hosts on mainnet fits this node"), "{}", hosts(&facts));
    supply(&mut facts).candidates = 2;
    assert!(found[0].hint.contains("account link") && found[1].hint.contains("--payout"), "{found:?}");
    facts.wants.agent.host = None;
    assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "payment" && ill.verdict == Verdict::Error));
    supply(&mut facts).served = 1;
    let fewer = ills(&facts);
    assert!(matches!(&fewer[..], [ill] if ill.check == "payment" && ill.verdict == Verdict::Warning), "{fewer:?}");
    assert!(fewer[0].text.contains("has 1 host, and gets no more"), "{fewer:?}");
    // Of all hosts that it wants, none has a slot for one more.
    supply(&mut facts).served = facts.wants.agent.min_peers;
    (supply(&mut facts).candidates, supply(&mut facts).reason) = (0, Some("all 3 hosts are full".to_owned()));
    let served = ills(&facts);
    assert!(matches!(&served[..], [ill] if ill.check == "payment" && ill.verdict == Verdict::Warning), "{served:?}");
    let unpaid = supply(&mut facts).unpaid.take();
    assert_eq!(ills(&facts), [], "it is served");
    let paid = evaluate(&facts).into_iter().find(|finding| finding.check == "payment").unwrap();
    assert!(paid.text.ends_with("enough funds for the slots that it has"), "{paid:?}");
    (supply(&mut facts).unpaid, supply(&mut facts).terms.payment) = (unpaid, PaymentMode::X402);
    assert_eq!(ills(&facts), [], "its agent signs for more when it needs that");
    supply(&mut facts).terms.payment = PaymentMode::Credit;
    (supply(&mut facts).candidates, supply(&mut facts).reason) = (2, None);
    (supply(&mut facts).unpaid, supply(&mut facts).served) = (None, 0);
    facts.wants.agent.host = Some(HostConfig { payout: Some(Account::new([7; 20])), ..host(10) });
    assert_eq!(ills(&facts), []);
    assert!(hosts(&facts).ends_with("can be assigned to this node now"), "{}", hosts(&facts));
    let checks: Vec<_> = evaluate(&facts).iter().map(|finding| finding.check).collect();
    assert!(checks.contains(&"payment") && checks.contains(&"payout"), "{checks:?}");
}

#[test]
fn a_trial_and_funds_that_run_low_are_named() {
    let mut facts = well();
    charging(&mut facts);
    facts.wants.agent.host = None;
    supply(&mut facts).trial_left_ms = Some(110_000);
    let payment = |facts: &Facts| {
        let found = ills(facts);
        assert!(matches!(&found[..], [ill] if ill.check == "payment" && ill.verdict == Verdict::Warning), "{found:?}");
        found[0].clone()
    };
    let trial = payment(&facts);
    assert!(trial.text.contains("No account") && trial.text.contains("1m 50s"), "{trial:?}");
    assert!(trial.hint.contains("account link"), "{trial:?}");
    let account = Account::new([7; 20]);
    let low = FundsLow { account, asset: Asset::ETHER, available: Amount::new(5), left_ms: 20_000 };
    *supply(&mut facts) =
        HostSupply { trial_left_ms: None, funds_low: Some(low), served: 3, ..supply(&mut facts).clone() };
    let low = payment(&facts);
    assert!(low.text.contains("enough for 20s of the current leases"), "{low:?}");
}

#[test]
fn a_host_learns_that_its_price_or_the_operator_keeps_it_from_selling() {
    let mut facts = well();
    charging(&mut facts);
    facts.wants.client = false;
    let selling = |min_price: &str| HostConfig {
        payout: Some(Account::new([7; 20])),
        min_price: Some(min_price.parse().unwrap()),
        ..host(10)
    };
    supply(&mut facts).fee_bps = 1_000;
    facts.wants.agent.host = Some(selling("90 wei/minute"));
    assert_eq!(ills(&facts), []);
    for (min_price, part) in [("91 wei/minute", "gets 90 wei/minute"), ("1 USDC/hour", "this pool charges in")] {
        facts.wants.agent.host = Some(selling(min_price));
        let found = ills(&facts);
        assert!(matches!(&found[..], [ill] if ill.check == "min_price" && ill.verdict == Verdict::Error), "{found:?}");
        assert!(found[0].text.contains(part), "{found:?}");
    }
    facts.wants.agent.host = Some(selling("90 wei/minute"));
    supply(&mut facts).drained = true;
    let found = ills(&facts);
    assert!(matches!(&found[..], [ill] if ill.verdict == Verdict::Warning && ill.text.contains("paused")), "{found:?}");
}

#[test]
fn a_client_that_runs_is_not_to_be_started() {
    let mut facts = well();
    facts.wants.agent.host = None;
    (supply(&mut facts).candidates, supply(&mut facts).reason) = (0, Some("all 2 hosts are full".to_owned()));
    assert!(ills(&facts)[0].hint.starts_with("Start the client"));
    node(&mut facts).own_peers = Some(1);
    let hint = ills(&facts)[0].hint.clone();
    assert!(!hint.contains("Start") && hint.contains("`vipnode status --why`"), "{hint}");
}
