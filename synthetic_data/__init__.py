"""The invented city Massilia: people, places, latent truth and its biased recording. No real person, place or post."""
