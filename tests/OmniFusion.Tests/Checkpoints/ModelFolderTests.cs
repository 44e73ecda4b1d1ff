using OmniFusion.Checkpoints;

namespace OmniFusion.Tests.Checkpoints;

public sealed class ModelFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatAKilledWriterLeftIsNotCopied()
    {
        _folder.Write("from/model.bin", "whole");
        _folder.Write("from/model.bin.abcdefgh.ijk.tmp", "half");
        ModelFolder.Copy(_folder["from"], _folder["to"], _ => true);
        Assert.Equal([_folder["to/model.bin"]], Directory.GetFileSystemEntries(_folder["to"]));
    }

    [Fact]
    public void WantedFilesAreCopiedAndWhoReadsAnOldCopyKeepsIt()
    {
        string source = _folder.Write("from/model.bin", "new"), copy = _folder.Write("to/model.bin", "older");
        _folder.Write("from/notes.txt", "none");
        _folder.Write("from/further/model.bin", "deeper");
        using (StreamReader reader = new(new FileStream(copy, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)))
        {
            Copy();
            Assert.Equal("older", reader.ReadToEnd());
        }
        Assert.Equal([copy], Directory.GetFileSystemEntries(_folder["to"]));
        Assert.Equal("new", File.ReadAllText(copy));
        Assert.Equal(File.GetLastWriteTimeUtc(source), File.GetLastWriteTimeUtc(copy));

        // Of the same length and age, so it is taken for the same.
        DateTime age = File.GetLastWriteTimeUtc(source);
        File.WriteAllText(copy, "own");
        File.SetLastWriteTimeUtc(copy, age);
        Copy();
        Assert.Equal("own", File.ReadAllText(copy));
        ModelFolder.Copy(_folder["to"], _folder["to"], _ => true);
        Assert.Contains(_folder["nowhere"], Assert.Throws<OmniFusionException>(() => ModelFolder.Copy(_folder["nowhere"], _folder["to"], _ => true)).Message);

        void Copy() => ModelFolder.Copy(_folder["from"], _folder["to"], name => name == "model.bin");
    }
}
