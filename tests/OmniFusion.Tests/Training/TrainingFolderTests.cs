using OmniFusion.Tests.Checkpoints;
using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public sealed class TrainingFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatAKilledTrainingLeftIsClearedAway()
    {
        string[] kept = [_folder.Write("out/translator/config.json", "{}"), _folder.Write("out.work/notes.tmp", "own")];
        string[] left = [_folder.Write("out/translator/model.safetensors.abcdefgh.ijk.tmp", "half"),
            _folder.Write("out.work/training.safetensors.01234567.89a.tmp", "half")];
        using TrainingFolder folder = Open();
        Assert.All(kept, path => Assert.True(File.Exists(path)));
        Assert.All(left, path => Assert.False(File.Exists(path)));
    }

    [Fact]
    public void TwoTrainingsDoNotWorkInOneFolder()
    {
        using (Open())
            Assert.Contains("Another training", Assert.Throws<OmniFusionException>(Open).Message);
        Open().Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_folder["out.work"]));
    }

    private TrainingFolder Open() => new(new Recipe { Output = _folder["out"] }, _folder["out.work"], resume: false, restart: false);
}
