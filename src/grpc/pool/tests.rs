use std::sync::mpsc;

use super::*;

const UNARY_BYTES: usize = 1 << 20;

fn pool(workers: usize) -> Pool {
    let budget = Budget::new(100 << 20);
    Pool::start(Bounds { workers, unary_jobs: 6, unary_bytes: UNARY_BYTES, budget }).unwrap()
}

fn ask(lane: Lane, connection: u64) -> Ask {
    Ask { lane, peer: Peer { group: 1, connection }, call: connection, bytes: 1, deadline: None }
}

fn submit<T: Send + 'static>(pool: &Pool, ask: Ask, job: impl FnOnce() -> T + Send + 'static) -> Ticket<T> {
    pool.submit(ask, move || Step::Run(1, Box::new(job))).unwrap()
}

/// A pool of one thread that is held until the sender is dropped.
fn held() -> (Pool, mpsc::Sender<()>, Ticket<()>) {
    let pool = pool(1);
    let (release, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let ticket = submit(&pool, ask(Lane::Unary, 0), move || {
        begun.send(()).unwrap();
        let _ = wait.recv();
    });
    has_begun.recv().unwrap();
    (pool, release, ticket)
}

#[test]
fn the_lanes_take_turns() {
    let (pool, release, _held) = held();
    let (order, in_order) = mpsc::channel();
    let lanes = [Lane::Unary, Lane::Unary, Lane::Unary, Lane::Bulk, Lane::Bulk, Lane::Bulk];
    let tickets: Vec<_> = lanes
        .into_iter()
        .map(|lane| {
            let order = order.clone();
            submit(&pool, ask(lane, 1), move || order.send(lane).unwrap())
        })
        .collect();
    drop(release);
    let taken: Vec<_> = in_order.iter().take(6).collect();
    assert_eq!(taken, [Lane::Bulk, Lane::Unary, Lane::Bulk, Lane::Unary, Lane::Bulk, Lane::Unary]);
    drop(tickets);
}

#[test]
fn f9_peers_take_turns_and_who_has_most_gives_way() {
    let (pool, release, _held) = held();
    let (order, in_order) = mpsc::channel();
    let begin = |connection| {
        let order = order.clone();
        pool.submit(ask(Lane::Unary, connection), move || {
            order.send(connection).unwrap();
            Step::Done(())
        })
    };
    let many: Vec<_> = (0..6).map(|_| begin(1).unwrap()).collect();
    assert!(begin(1).is_err(), "the lane is full of its own");
    let other = begin(2).expect("one of the many gives way");
    let third = begin(3).expect("another gives way");
    drop(release);
    let taken: Vec<_> = in_order.iter().take(6).collect();
    assert_eq!(taken, [1, 2, 3, 1, 1, 1]);
    drop(order);
    let mut many = many;
    let gave_way = many.iter_mut().filter_map(|ticket| ticket.answer.try_recv().ok()?.err());
    assert_eq!(gave_way.filter(|not_run| matches!(not_run, NotRun::GaveWay(_))).count(), 2);
    drop((other, third));
}

#[test]
fn a_job_past_its_deadline_and_one_whose_caller_left_never_start() {
    let (pool, release, _held) = held();
    let past = Ask { deadline: Some(Instant::now()), ..ask(Lane::Unary, 1) };
    let late: Ticket<()> = submit(&pool, past, || panic!("never starts"));
    let left: Ticket<()> = submit(&pool, ask(Lane::Bulk, 1), || panic!("never starts"));
    drop(left);
    assert_eq!(pool.counts().waiting.load(Ordering::Relaxed), 1);
    let (done, is_done) = mpsc::channel();
    let last = submit(&pool, ask(Lane::Unary, 1), move || done.send(()).unwrap());
    drop(release);
    is_done.recv().unwrap();
    assert_eq!(pool.counts().withdrawn.load(Ordering::Relaxed), 2);
    assert_eq!(pool.counts().started.load(Ordering::Relaxed), 2);
    drop((late, last));
}

#[test]
fn a_thread_outlives_the_panics_of_its_jobs() {
    let pool = pool(1);
    for _ in 0..10 {
        let first: Ticket<()> = pool.submit(ask(Lane::Unary, 1), || std::panic::resume_unwind(Box::new(()))).unwrap();
        let second: Ticket<()> = submit(&pool, ask(Lane::Unary, 1), || std::panic::resume_unwind(Box::new(())));
        let (done, is_done) = mpsc::channel();
        let after = submit(&pool, ask(Lane::Unary, 1), move || done.send(()).unwrap());
        is_done.recv().unwrap();
        drop((first, second, after));
    }
    while pool.budget().in_use() != (0, 0) || pool.held_bytes(Lane::Unary) > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_job_heavier_than_the_lane_takes_all_of_it() {
    let (pool, release, held) = held();
    let heavy = Ask { bytes: 2 * UNARY_BYTES, ..ask(Lane::Unary, 1) };
    assert!(pool.submit(heavy, || Step::Done(())).is_err(), "something else is held");
    drop((release, held));
    while pool.held_bytes(Lane::Unary) > 0 {
        std::thread::yield_now();
    }
    assert!(pool.submit(heavy, || Step::Done(())).is_ok());
}

#[test]
fn f9_work_that_takes_long_leaves_a_thread_to_others() {
    let pool = pool(2);
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let (began, begins) = mpsc::channel();
    let long: Vec<_> = (0..4)
        .map(|connection| {
            let (began, wait) = (began.clone(), Arc::clone(&wait));
            let run = move || {
                began.send(()).unwrap();
                let _ = wait.lock().unwrap().recv();
            };
            pool.submit(ask(Lane::Unary, connection), move || Step::Run(HEAVY_BYTES, Box::new(run))).unwrap()
        })
        .collect();
    begins.recv().unwrap();
    let (done, is_done) = mpsc::channel();
    let short = submit(&pool, ask(Lane::Unary, 9), move || done.send(()).unwrap());
    is_done.recv().unwrap();
    assert!(begins.try_recv().is_err(), "one at a time");
    drop(release);
    for _ in 0..3 {
        begins.recv().unwrap();
    }
    drop((long, short));
}

#[test]
fn f6_work_that_has_no_room_in_the_budget_waits_and_others_go_on() {
    let budget = Budget::new(12 << 20);
    let pool = Pool::start(Bounds { workers: 2, unary_jobs: 6, unary_bytes: UNARY_BYTES, budget }).unwrap();
    let (release, wait) = mpsc::channel::<()>();
    let (began, begins) = mpsc::channel();
    let large = |wait: Option<mpsc::Receiver<()>>| {
        let began = began.clone();
        let run = move || {
            began.send(()).unwrap();
            wait.map(|wait| wait.recv());
        };
        pool.submit(ask(Lane::Unary, 1), move || Step::Run(HEAVY_BYTES - 1, Box::new(run))).unwrap()
    };
    let first = large(Some(wait));
    begins.recv().unwrap();
    let second = large(None);
    let (done, is_done) = mpsc::channel();
    let small = submit(&pool, ask(Lane::Unary, 2), move || done.send(()).unwrap());
    is_done.recv().unwrap();
    assert!(begins.try_recv().is_err(), "both at once would be too much");
    drop(release);
    begins.recv().unwrap();
    drop((first, second, small));
}
