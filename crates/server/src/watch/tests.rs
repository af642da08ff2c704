//! Files that change as editors, deployments and mounted configuration change them.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("dockwarden-watch-{}", ulid::Ulid::generate()));
    fs::create_dir(&folder).unwrap();
    folder
}

fn watch(file: &Path) -> Watch {
    let file = file.to_owned();
    Watch::new(Box::new(move || vec![file.clone()])).unwrap()
}

async fn notices(watch: &mut Watch) -> bool {
    tokio::time::timeout(Duration::from_secs(3), watch.changed()).await.is_ok()
}

#[tokio::test]
async fn a_file_written_anew_or_replaced_is_noticed_and_a_neighbour_is_not() {
    let folder = folder();
    let file = folder.join("config.yaml");
    fs::write(&file, "one").unwrap();
    let mut watch = watch(&file);
    fs::write(folder.join("neighbour"), "x").unwrap();
    assert!(!notices(&mut watch).await);
    fs::write(&file, "two, in place").unwrap();
    assert!(notices(&mut watch).await);
    fs::write(folder.join(".config.yaml.swp"), "one").unwrap();
    fs::rename(folder.join(".config.yaml.swp"), &file).unwrap();
    assert!(notices(&mut watch).await);
    fs::remove_file(&file).unwrap();
    assert!(notices(&mut watch).await);
    fs::write(&file, "back").unwrap();
    assert!(notices(&mut watch).await);
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_was_noticed_while_nobody_waited_is_not_forgotten() {
    let folder = folder();
    let file = folder.join("config.yaml");
    fs::write(&file, "one").unwrap();
    let mut watch = watch(&file);
    fs::write(&file, "two, in place").unwrap();
    // Given up while it waits for rest.
    assert!(tokio::time::timeout(Duration::from_millis(200), watch.changed()).await.is_err());
    assert!(notices(&mut watch).await);
    fs::remove_dir_all(folder).unwrap();
}

/// `config.yaml` → `..data/config.yaml`, `..data` → `..2026`: a new folder is made and `..data` swapped.
#[tokio::test]
async fn a_link_on_the_way_that_is_swapped_is_noticed() {
    let folder = folder();
    for (name, text) in [("..1", "one"), ("..2", "two")] {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("config.yaml"), text).unwrap();
    }
    symlink("..1", folder.join("..data")).unwrap();
    symlink("..data/config.yaml", folder.join("config.yaml")).unwrap();
    symlink(&folder, folder.join("..outer")).unwrap();
    let mut watch = watch(&folder.join("..outer/config.yaml"));
    symlink("..2", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    assert!(notices(&mut watch).await);
    fs::write(folder.join("..2/config.yaml"), "three").unwrap();
    assert!(notices(&mut watch).await);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn links_that_lead_in_circles_end() {
    let folder = folder();
    symlink("b", folder.join("a")).unwrap();
    symlink("a", folder.join("b")).unwrap();
    assert!(places(&folder.join("a")).contains(&folder.join("b")));
    fs::remove_dir_all(folder).unwrap();
}
