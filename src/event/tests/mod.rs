mod certificates;
mod entries;
mod forgery;
mod house;
mod live;
mod sealing;
mod signing;
mod vectors;
