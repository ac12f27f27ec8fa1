//! Results of correct kernels, in every order of threads.

use super::{ORDERS, Sanitizer, plain, sanitized};

fn each_way(script: &str, want: &str) {
    for order in ORDERS {
        let Some(outcome) = plain(script, &[("GRADUS_EMULATOR_ORDER", order)]) else { return };
        assert_eq!(outcome.stdout.trim(), want, "{order}: {outcome}");
        assert_eq!(outcome.stderr, "", "{order}");
        assert!(outcome.success, "{outcome}");
    }
    for sanitizer in [Sanitizer::Thread, Sanitizer::Address] {
        let Some(outcome) = sanitized(sanitizer, script) else { continue };
        assert_eq!(outcome.stdout.trim(), want, "{sanitizer:?}: {outcome}");
        assert!(outcome.success, "{sanitizer:?}: {outcome}");
    }
}

#[test]
fn block_sum_in_shared_memory_is_right() {
    let eight = "alloc x 32; floats x 1 2 3 4 5 6 7 8; alloc y 8; ";
    each_way(&format!("module right_float; {eight} launch sum 2 4 0 x y; show y floats 2"), "10 26");
    each_way(&format!("module right_float; {eight} launch sum_dynamic 2 4 16 x y; sync; show y floats 2"), "10 26");
}

#[test]
fn grid_loop_any_grid_gives_the_same_result() {
    for (grid, block) in [(1, 1), (1, 32), (2, 3), (7, 64)] {
        let launch = format!("launch scale {grid} {block} 0 f:2 x i:5");
        each_way(
            &format!("module right_float; alloc x 20; floats x 1 2 3 4 5; {launch}; show x floats 5"),
            "2 4 6 8 10",
        );
    }
}

#[test]
fn module_has_a_library_per_scalar_and_variant() {
    each_way("module right_double; alloc x 8; zero x 8; launch scale 1 1 0 d:2 x i:1; show x doubles 1", "0");
    each_way("module right_float; alloc y 4; launch width 1 1 0 y; show y words 1", "1");
    each_way("module right_float_WIDTH-8; alloc y 4; launch width 1 1 0 y; show y words 1", "8");
}

#[test]
fn shuffles_exchange_values_between_lanes() {
    let want = |lane: i32| {
        let ballot = (0..32).filter(|l| l % 3 == 0).fold(0u32, |set, l| set | 1 << l);
        [
            103,
            100 + lane / 8 * 8 + (lane + 1) % 8,
            100 + (lane - 1).max(0),
            if lane % 16 < 14 { lane + 102 } else { lane + 100 },
            100 + (lane ^ 16),
            ballot as i32,
            1,
            1,
            496,
            -31,
            100 + (if lane < 16 { lane ^ 1 } else { lane ^ 2 }),
            if lane == 0 { 131 } else { lane + 100 },
        ]
    };
    // Two warps with the same results.
    let all: Vec<_> = (0..64).flat_map(|thread| want(thread % 32)).map(|n| n.to_string()).collect();
    each_way("module right_float; alloc y 3072; launch shuffles 1 64 0 y; show y words 768", &all.join(" "));
}

#[test]
fn barrier_votes_are_counted() {
    each_way("module right_float; alloc y 40; launch votes 1 10 0 y; show y words 10", ["501"; 10].join(" ").as_str());
}

#[test]
fn atomics_lose_no_update() {
    each_way(
        "module right_float; alloc c 12; zero c 12; launch count 3 100 0 c; show c words 3;
         alloc p 20; alloc a 4; zero a 4; alloc y 4; launch last_block 5 32 0 p a y; show y words 1",
        "300 299 1 \n15",
    );
}

#[test]
fn thread_orders_differ_and_seeds_repeat() {
    let turns = |order| {
        let script = "module right_float; alloc n 4; zero n 4; alloc y 48; launch turns 3 4 0 n y; show y words 12";
        Some(plain(script, &[("GRADUS_EMULATOR_ORDER", order)])?.stdout)
    };
    let Some(forward) = turns("forward") else { return };
    assert_eq!(forward.trim(), "0 1 2 3 4 5 6 7 8 9 10 11");
    assert_eq!(turns("reverse").expect("a compiler").trim(), "11 10 9 8 7 6 5 4 3 2 1 0");
    let random: Vec<_> = ["random:1", "random:2", "random:1"].map(|order| turns(order).expect("a compiler")).into();
    assert_ne!(random[0], random[1]);
    assert_eq!(random[0], random[2], "a seed gives the same order again");
    assert!(random.iter().all(|turns| *turns != forward));
}
