/// How much less a thread in the background gets of a core than one that others wait for, when both want all of it: five
/// of the system's steps, each of them a fifth.
#[cfg(target_os = "linux")]
const STEPS: i32 = 5;

/// Lets the calling thread, which works for long while no client waits for it, have a third of what others get of a
/// core that both want: so others have hardly ever used up their share when there is something for them to do, and the
/// thread is never without its own. There is no way back.
pub fn work_in_background() {
    // On other systems this would be about the whole process. Where it is refused, things stay as they are.
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::nice(STEPS);
    }
}
