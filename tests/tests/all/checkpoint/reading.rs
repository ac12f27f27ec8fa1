//! Tests of undamaged files that are wrong: other formats, other tensors, numbers that are not finite.

use std::collections::BTreeMap;
use std::fs;

use nn::{Checkpoint, Grads, Optimizer, UpdateRule, save_checkpoint};
use safetensors::Dtype;
use tensor::Tensor;

use super::fixtures::{Folder, HEAD, Tensors, about, bits, error_of, head, model, text, trained, write_foreign};

#[test]
fn checkpoint_state_dict_without_metadata_loads() {
    let folder = Folder::new("state-dict");
    let path = folder.file("pytorch.safetensors");
    write_foreign(&path, &[], &HEAD, |name, bytes| match name {
        "weight" => bytes[4..8].copy_from_slice(&2.5_f32.to_le_bytes()),
        _ => bytes.copy_from_slice(&(-1.5_f32).to_le_bytes()),
    });
    let checkpoint = Checkpoint::load(&path).expect("loaded");
    assert!(checkpoint.metadata().is_empty());
    let (mut narrow, mut wide) = (head(), head().cast::<f64>());
    checkpoint.load_params(&mut narrow).expect("fits");
    checkpoint.load_params(&mut wide).expect("fits");
    assert_eq!(narrow.flat().to_vec(), [0.0, 2.5, 0.0, -1.5]);
    assert_eq!(wide.flat().to_vec(), [0.0, 2.5, 0.0, -1.5]);
}

#[test]
fn checkpoint_other_files_are_refused() {
    let folder = Folder::new("not-checkpoints");
    let missing = error_of(&folder.file("missing"), &mut head());
    assert_eq!(missing, "there is no such file; check the path, or train first");
    let is_folder = error_of(&folder.0, &mut head());
    assert!(is_folder.starts_with("cannot be read: "), "{is_folder}");
    let path = folder.file("text");
    fs::write(&path, "PK and then something else").expect("written");
    assert_eq!(
        error_of(&path, &mut head()),
        "is not a safetensors file (a header of 8367798532893068112 bytes, expected 1048576 or fewer); \
         from PyTorch, write one with safetensors.torch.save_file(model.state_dict(), path)"
    );
    fs::write(&path, b"\x02\0\0\0\0\0\0\0[]").expect("written");
    assert!(error_of(&path, &mut head()).starts_with("is not a safetensors file (invalid JSON in header: "));
}

#[test]
fn checkpoint_wrong_tensors_are_refused() {
    let folder = Folder::new("unfit");
    let path = folder.file("model.safetensors");
    let (weight, bias) = (HEAD[0], HEAD[1]);
    let error = |tensors: Tensors| {
        write_foreign(&path, &[], tensors, |_, _| ());
        error_of(&path, &mut head())
    };
    let advice = "; rename the tensors, or build the model or optimiser that the file was saved from";
    assert_eq!(error(&[weight]), format!("lacks bias{advice}"));
    let other = ("extra", Dtype::F32, &[2][..]);
    assert_eq!(error(&[weight, bias, other]), format!("holds the unexpected extra{advice}"));
    assert_eq!(error(&[other]), format!("lacks weight, bias, and holds the unexpected extra{advice}"));
    assert_eq!(
        error(&[("weight", Dtype::F32, &[1, 4]), bias]),
        "weight has shape [1, 4], expected [1, 3]; build the model with the sizes that the file was saved with"
    );
    assert_eq!(
        error(&[weight, ("bias", Dtype::F32, &[1, 1, 1, 1, 1])]),
        "bias has shape [1, 1, 1, 1, 1], expected [1]; build the model with the sizes that the file was saved with"
    );
    assert_eq!(
        error(&[weight, ("bias", Dtype::I64, &[1])]),
        "bias is of type I64, expected F32 or F64; convert it, or leave it out of the file"
    );
}

#[test]
fn checkpoint_not_finite_numbers_are_refused() {
    let folder = Folder::new("nan");
    let path = folder.file("model.safetensors");
    let want =
        "bias holds a number that is not finite, expected finite numbers only; continue from an earlier checkpoint";
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        write_foreign(&path, &[], &HEAD, |name, bytes| {
            if name == "bias" {
                bytes.copy_from_slice(&bad.to_le_bytes());
            }
        });
        assert_eq!(error_of(&path, &mut head()), want);
    }
    let mut wide = head().cast::<f64>();
    wide.set(wide.find("bias").expect("it exists"), &Tensor::from([1e300]));
    save_checkpoint(&path, &wide, None, &BTreeMap::new()).expect("finite as f64");
    assert_eq!(error_of(&path, &mut head()), want, "1e300 is no f32");

    wide.flat_mut().view_mut().set(&[3], f64::NAN);
    let before = fs::read(&path).expect("it exists");
    let error = save_checkpoint(&path, &wide, None, &BTreeMap::new()).expect_err("would not load");
    assert_eq!(text(&path, &error), want);
    assert_eq!(fs::read(&path).expect("it exists"), before);
}

#[test]
fn checkpoint_wrong_optimiser_state_is_refused() {
    let folder = Folder::new("optimiser");
    let path = folder.file("model.safetensors");
    let (params, adam) = trained::<f32>(UpdateRule::adam());
    let error = |optimizer: &mut Optimizer<f32>| {
        let (moments, steps) = (optimizer.moments().map(|(_, m)| bits(m)).collect::<Vec<_>>(), optimizer.steps());
        let error = Checkpoint::load(&path).expect("valid").load_optimizer(optimizer).expect_err("does not fit");
        assert!(optimizer.moments().map(|(_, m)| bits(m)).eq(moments) && optimizer.steps() == steps);
        text(&path, &error)
    };
    let advice = "; rename the tensors, or build the model or optimiser that the file was saved from";
    save_checkpoint(&path, &params, Some(&adam), &about()).expect("saved");
    let rule = |found: &str, expected: &str| {
        format!(
            "its metadata {found}, expected \"{expected}\" under \"optimizer.rule\"; \
             build the optimiser that the file was saved from, or begin with a new one"
        )
    };
    for other in [UpdateRule::adamw(0.0), UpdateRule::Sgd { momentum: 0.9 }, UpdateRule::rmsprop()] {
        let mut optimizer = Optimizer::new(other, &params);
        assert_eq!(error(&mut optimizer), rule("give the optimiser's rule as \"adam\"", other.name()));
    }
    let mut small = Optimizer::new(UpdateRule::adam(), &model::<f32>(1, 2));
    assert_eq!(
        error(&mut small),
        "optimizer.m has shape [67], expected [39]; build the model with the sizes that the file was saved with"
    );
    save_checkpoint(&path, &params, None, &about()).expect("saved");
    let mut fresh = Optimizer::new(UpdateRule::adam(), &params);
    assert_eq!(error(&mut fresh), rule("lack the optimiser's rule", "adam"));
    let adam = ("optimizer.rule", "adam");
    write_foreign(&path, &[adam], &HEAD, |_, _| ());
    assert_eq!(error(&mut fresh), format!("lacks optimizer.m, optimizer.v{advice}"));

    let steps = |found: &str| {
        format!("{found}, expected a whole number below 2^63 under \"optimizer.steps\"; begin with a new optimiser")
    };
    let moments: Tensors = &[("optimizer.m", Dtype::F32, &[67]), ("optimizer.v", Dtype::F32, &[67])];
    write_foreign(&path, &[adam], moments, |_, _| ());
    assert_eq!(error(&mut fresh), steps("its metadata lack the optimiser's steps"));
    for bad in ["-1", "9223372036854775808", "18446744073709551614", "18446744073709551615", "18446744073709551616"] {
        write_foreign(&path, &[adam, ("optimizer.steps", bad)], moments, |_, _| ());
        assert_eq!(error(&mut fresh), steps(&format!("its metadata give the optimiser's steps as \"{bad}\"")));
    }
    let negative = |name: &str, bytes: &mut [u8]| {
        if name == "optimizer.v" {
            bytes[8..12].copy_from_slice(&(-0.0_f32).to_le_bytes());
            bytes[12..16].copy_from_slice(&(-0.25_f32).to_le_bytes());
        }
    };
    write_foreign(&path, &[adam, ("optimizer.steps", "7")], moments, negative);
    assert_eq!(
        error(&mut fresh),
        "optimizer.v holds the negative number -0.25, expected 0 or more, because it is a mean of squares; \
         continue from an earlier checkpoint, or begin with a new optimiser"
    );
    for (bad, moment) in [(f32::NAN, "optimizer.m"), (f32::INFINITY, "optimizer.m"), (f32::NAN, "optimizer.v")] {
        write_foreign(&path, &[adam, ("optimizer.steps", "7")], moments, |name, bytes| {
            if name == moment {
                bytes[8..12].copy_from_slice(&bad.to_le_bytes());
            }
        });
        let words =
            "holds a number that is not finite, expected finite numbers only; continue from an earlier checkpoint";
        assert_eq!(error(&mut fresh), format!("{moment} {words}"));
    }
    // The largest accepted number of steps. Further steps do not overflow.
    write_foreign(&path, &[adam, ("optimizer.steps", "9223372036854775807")], moments, |_, _| ());
    Checkpoint::load(&path).expect("valid").load_optimizer(&mut fresh).expect("fits");
    let (mut moved, grads) = (params.clone(), Grads::zeros(&params));
    (0..2).for_each(|_| fresh.step(0.1, &mut moved, &grads));
    assert_eq!(fresh.steps(), (1 << 63) + 1);
    write_foreign(&path, &[adam, ("optimizer.steps", "7")], moments, |_, _| ());
    Checkpoint::load(&path).expect("valid").load_optimizer(&mut fresh).expect("fits");
    assert_eq!(fresh.steps(), 7);
}
